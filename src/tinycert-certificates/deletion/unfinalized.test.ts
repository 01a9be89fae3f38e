import { sealerOf } from '../../../test/support/inputs/accounts.ts';
import { expect, test } from 'vitest';
import { certificate, issued, readyIssuer } from '../../../test/support/inputs/inputs.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { Account } from '../../account/tinycert-account.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { certificateKey } from '../../api/tinycert/identity.ts';
import { claimsOf } from '../../issuance/tinycert/claims.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { IssuerDirectory } from '../../issuance/tinycert/issuer-directory.ts';
import type { ReleasedAddition } from '../../issuance/tinycert/released.ts';
import { sealOf } from '../../issuance/tinycert/seal.ts';
import { WorkQueue } from '../../kube/controller/queue.ts';
import { createLogger } from '../../lib/log.ts';
import type { Deps } from '../context/deps.ts';
import { Unfinalized } from './unfinalized.ts';

const KEY = readyIssuer.key;
const account = sealerOf() as Account;

/** A resource that was issued this certificate, sealed by the account. */
function resource(certificateId: number) {
  const status = { ...issued, certificateId, attempt: { ...issued.attempt, certificateId } } as typeof issued;
  return certificate({ status: { ...status, seal: sealOf(account, 'uid', status) } });
}

function setUp(give: (giving: ReleasedAddition) => Promise<void>, kept: readonly TinyCertCertificate[] = []) {
  const clock = new VirtualClock();
  const exists = { issuer: true };
  const queue = new WorkQueue({ name: 'vanished', clock });
  const directory = new IssuerDirectory();
  const deps = {
    clock,
    directory,
    certificates: {
      byIndex: (_: string, key: string) =>
        kept.filter(({ status }) => claimsOf(status).some((claim) => certificateKey(claim) === key)),
    },
    timing: tinycertKind.timing,
    issuerExists: () => exists.issuer,
    releasedStore: { add: (_: string, giving: ReleasedAddition) => give(giving) },
  } as unknown as Deps;
  const vanished = new Unfinalized(deps, queue);
  const reconcile = () =>
    vanished.reconcile(KEY, {
      signal: new AbortController().signal,
      log: createLogger({ level: 'error', format: 'json', clock }),
      reconcileID: 'r',
      failures: 0,
    });
  return { vanished, directory, reconcile, exists };
}

test('what vanishes while others are being written is written after them', async () => {
  const written: number[][] = [];
  const { vanished, directory, reconcile } = setUp((giving) => {
    written.push((giving.released ?? []).map(({ certificateId }) => certificateId));
    if (written.length === 1) vanished.note(resource(8));
    return Promise.resolve();
  });
  directory.set(KEY, { ready: true, issuer: { ...readyIssuer, account } });
  vanished.note(resource(7));

  await reconcile();
  expect([...vanished.pending()].map(({ status }) => status?.certificateId)).toEqual([8]);
  await reconcile();

  expect(written).toEqual([[7], [8]]);
  expect([...vanished.pending()]).toEqual([]);
});

test('what cannot be written now, or not be believed yet, is kept', async () => {
  const { vanished, directory, reconcile } = setUp(() => Promise.reject(new Error('not now')));
  vanished.note(resource(7));

  // Nobody has logged in yet, so that nobody can tell whether the status is sealed.
  await reconcile();
  expect([...vanished.pending()]).toHaveLength(1);
  directory.set(KEY, { ready: true, issuer: { ...readyIssuer, account } });
  await expect(reconcile()).rejects.toThrow('not now');

  expect([...vanished.pending()]).toHaveLength(1);
});

test('what vanishes while the CA cannot be asked is written if its seal is true, and kept if not', async () => {
  const givings: ReleasedAddition[] = [];
  const { vanished, directory, reconcile } = setUp((giving) => {
    givings.push(giving);
    return Promise.resolve();
  });
  const refused = { ready: false, reason: 'PassphraseFailure', message: '' } as const;
  const other = sealerOf({ installation: 'of another account', apiKey: 'of another account' }) as Account;
  directory.set(KEY, { ...refused, account: other });
  vanished.note(resource(7));

  await reconcile();
  expect([givings, [...vanished.pending()]]).toMatchObject([[], [{ status: { certificateId: 7 } }]]);
  directory.set(KEY, { ...refused, account });
  await reconcile();

  expect(givings).toMatchObject([{ released: [{ certificateId: 7 }] }]);
  expect([...vanished.pending()]).toEqual([]);
});

test('what a resource made anew has taken up again is not given up', async () => {
  const givings: ReleasedAddition[] = [];
  const { vanished, directory, reconcile } = setUp(
    (giving) => {
      givings.push(giving);
      return Promise.resolve();
    },
    [resource(7)],
  );
  directory.set(KEY, { ready: true, issuer: { ...readyIssuer, account } });
  vanished.note(resource(7));

  await reconcile();

  expect(givings).toEqual([{ released: [], abandoned: [] }]);
});

test('a status that nobody sealed does not keep what another resource had from being given up', async () => {
  const givings: ReleasedAddition[] = [];
  const forged = { ...resource(7).status, seal: 'v1:of:somebody' };
  const { vanished, directory, reconcile } = setUp(
    (giving) => {
      givings.push(giving);
      return Promise.resolve();
    },
    [certificate({ status: forged })],
  );
  directory.set(KEY, { ready: true, issuer: { ...readyIssuer, account } });
  vanished.note(resource(7));

  await reconcile();

  expect(givings).toMatchObject([{ released: [{ certificateId: 7 }] }]);
});

test('what was to be recorded on an issuer that is gone is forgotten with it', () => {
  const { vanished, exists } = setUp(() => Promise.resolve());
  vanished.note(resource(7));
  vanished.review(KEY);
  expect([...vanished.pending()]).toHaveLength(1);
  exists.issuer = false;
  vanished.review(KEY);
  expect([...vanished.pending()]).toEqual([]);
});
