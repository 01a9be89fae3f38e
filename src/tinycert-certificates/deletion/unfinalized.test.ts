import { beforeEach, describe, expect, test } from 'vitest';
import { sealerOf } from '../../../test/support/inputs/accounts.ts';
import {
  account as digest,
  attempt,
  authority,
  certificate,
  issued,
  otherAccount,
  readyIssuer,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import { tinycertView } from '../../../test/support/inputs/tinycert-view.ts';
import type { JournalApi, JournalFate } from '../../../test/support/kube/journal-api.ts';
import { drain } from '../../../test/support/kube/queue.ts';
import { settle, VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { Account } from '../../account/tinycert-account.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { certificateKey, type CertificateRef } from '../../api/tinycert/identity.ts';
import { OpenAttempts } from '../../issuance/attempt/open-attempts.ts';
import { quietAfter } from '../../issuance/attempt/timing.ts';
import { attemptOwner, groupOf } from '../../issuance/tinycert/attempt.ts';
import { claimsOf } from '../../issuance/tinycert/claims.ts';
import { IssuerDirectory } from '../../issuance/tinycert/issuer-directory.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { recordsOf, type TinyCertView } from '../../issuance/tinycert/records.ts';
import { sealOf, type Sealer } from '../../issuance/tinycert/seal.ts';
import { JournalRefused } from '../../journal/errors.ts';
import { digestOf } from '../../journal/layout.ts';
import { WorkQueue } from '../../kube/controller/queue.ts';
import { silentLog } from '../../lib/log.ts';
import type { Deps } from '../context/deps.ts';
import { Unfinalized } from './unfinalized.ts';

const KEY = readyIssuer.key;
const OWNER = attemptOwner('uid', digest);
const { timing } = tinycertKind;
const account = sealerOf() as Account;
/** The installation's key as it sealed, and another one after it was lost. */
const [own, lost] = ['installation', 'another'].map((key) =>
  sealerOf({ installation: key, apiKey: 'nobody' }),
);
const foreign = sealerOf({ installation: 'of another account', apiKey: 'of another account' }) as Account;
const ready = { ready: true, issuer: { ...readyIssuer, account } } as const;
const refused = { ready: false, reason: 'PassphraseFailure', message: '' } as const;

/** A status that the account sealed. */
function sealed<T extends CertificateStatus>(status: T): T {
  return { ...status, seal: sealOf(account, 'uid', status) };
}

/** A resource that was issued this certificate, sealed by the account. */
function resource(certificateId: number, change: CertificateStatus = {}): TinyCertCertificate {
  return certificate({ status: sealed({ ...issued, certificateId, ...change }) });
}

let clock: VirtualClock;
let view: TinyCertView;
let api: JournalApi;
let queue: WorkQueue;
let directory: IssuerDirectory;
let attempts: OpenAttempts<CertificateRef>;
let gone: Unfinalized;
/** The resources in the cache. */
let kept: TinyCertCertificate[];
let issuerExists: boolean;
let installation: Sealer | undefined;
/** The keys that were woken by a journal that was not ready. */
let waiting: string[];
let isReady: boolean;
beforeEach(() => {
  clock = new VirtualClock();
  ({ view, api } = tinycertView(clock));
  queue = new WorkQueue({ name: 'unfinalized', clock });
  directory = new IssuerDirectory();
  attempts = new OpenAttempts();
  kept = [];
  issuerExists = true;
  installation = own;
  waiting = [];
  isReady = true;
  const viewFor = (key: string): TinyCertView | undefined => {
    if (!isReady) waiting.push(key);
    return isReady ? view : undefined;
  };
  const journal = {
    viewFor,
    get view() {
      return isReady ? view : undefined;
    },
  };
  const deps = {
    clock,
    directory,
    certificates: {
      byIndex: (_: string, key: string) =>
        kept.filter(({ status }) => claimsOf(status).some((claim) => certificateKey(claim) === key)),
      keysByIndex: (_: string, uid: string) =>
        kept.filter(({ metadata }) => metadata.uid === uid).map(({ metadata }) => metadata.name),
    },
    timing,
    attempts,
    journal,
    issuerExists: () => issuerExists,
    get installation() {
      return installation;
    },
  } as unknown as Deps;
  gone = new Unfinalized(deps, queue);
});

async function reconcile(key = KEY): ReturnType<Unfinalized['reconcile']> {
  const { signal } = new AbortController();
  return gone.reconcile(key, { signal, log: silentLog, reconcileID: 'r', failures: 0 });
}

/** The ids on record as given up by deleted resources. */
function recorded(of: Parameters<typeof recordsOf>[1] = authority): number[] {
  return recordsOf(view, of).released.map(({ certificateId, cause }) => {
    expect(cause).toBe('Deleted');
    return certificateId;
  });
}

/** The ids of what is not recorded yet. */
function pending(): (number | undefined)[] {
  return [...gone.pending()].map(({ status }) => status?.certificateId);
}

describe('the certificates of a resource that is gone', () => {
  test('are written to the journal together, with those that it had before and at other accounts', async () => {
    directory.set(KEY, ready);
    const elsewhere = { account: otherAccount };
    const left = sealed({ ...elsewhere, ...ref(30, elsewhere), formerCertificates: [ref(20, elsewhere)] });
    gone.note(resource(7, { formerCertificates: [ref(3)], formerAccounts: [left] }));
    gone.note(resource(8));
    const before = api.sent;

    await reconcile();

    expect(recorded()).toEqual([3, 7, 8]);
    expect(recorded({ ...authority, ...elsewhere })).toEqual([20, 30]);
    expect(api.sent - before).toBe(1);
    expect(pending()).toEqual([]);
  });

  test('take the room of their namespace and account', async () => {
    directory.set(KEY, ready);
    gone.note(resource(7));
    await reconcile();
    await view.open({ owner: OWNER, group: groupOf(authority, 'ns'), make: () => attempt });
    const groups = [...Object.values(api.recordData), api.data[`tinycert.entry.${OWNER}`] ?? '{}'].map(
      (text) => (JSON.parse(text) as { group: string }).group,
    );
    expect(groups).toEqual([digestOf(groupOf(authority, 'ns')), groups[0]]);
  });

  test('that vanish while others are being written are written after them', async () => {
    directory.set(KEY, ready);
    gone.note(resource(7));
    api.isPrompt = false;
    const writing = reconcile();
    await settle();
    gone.note(resource(8));
    api.next();
    await writing;
    expect([recorded(), pending()]).toEqual([[7], [8]]);
    api.isPrompt = true;
    await reconcile();

    expect([recorded(), pending()]).toEqual([[7, 8], []]);
  });

  test('are written although no account can be asked, since the installation’s key tells whether the seal is true', async () => {
    gone.note(resource(7));
    await reconcile();
    expect([recorded(), pending()]).toEqual([[7], []]);
  });

  test('are kept while nobody can tell whether the seal is true, after that key was lost', async () => {
    installation = lost;
    gone.note(resource(7));
    await reconcile();
    expect([recorded(), pending()]).toEqual([[], [7]]);
  });

  test('are kept while the journal is not ready, which wakes whoever waits for it', async () => {
    directory.set(KEY, ready);
    gone.note(resource(7));
    isReady = false;
    expect(await reconcile()).toEqual({});
    expect([recorded(), pending(), waiting]).toEqual([[], [7], [KEY]]);
  });

  test('are kept if the API server refuses the journal, and tried again', async () => {
    directory.set(KEY, ready);
    gone.note(resource(7));
    api.fate = () => ({ refused: 403 });
    await expect(reconcile()).rejects.toThrow(JournalRefused);
    expect([recorded(), pending()]).toEqual([[], [7]]);
  });

  test('are kept if the journal was found changed, and that is no failure', async () => {
    directory.set(KEY, ready);
    gone.note(resource(7));
    api.fate = (): JournalFate => 'request lost';
    expect(await reconcile()).toEqual({});
    expect(pending()).toEqual([7]);
  });

  test('are written after that if the credentials prove the seal, and kept while they may yet be corrected', async () => {
    installation = lost;
    directory.set(KEY, { ...refused, account: foreign });
    gone.note(resource(7));

    await reconcile();
    expect([recorded(), pending()]).toEqual([[], [7]]);
    directory.set(KEY, { ...refused, account });
    await reconcile();

    expect([recorded(), pending()]).toEqual([[7], []]);
  });

  test('are forgotten if nobody sealed the status', async () => {
    directory.set(KEY, ready);
    gone.note(certificate({ status: { ...issued, seal: 'v1:of:somebody' } }));
    await reconcile();
    expect([recorded(), pending()]).toEqual([[], []]);
  });

  test('are forgotten at an account whose part of the status nobody sealed', async () => {
    directory.set(KEY, ready);
    const elsewhere = { account: otherAccount };
    const forged = { ...ref(30, elsewhere), seal: 'v1:of:somebody' };
    gone.note(resource(7, { formerAccounts: [forged] }));
    await reconcile();
    expect([recorded(), recorded({ ...authority, ...elsewhere })]).toEqual([[7], []]);
  });

  test('are not given up if a resource made anew has taken them up', async () => {
    directory.set(KEY, ready);
    kept = [resource(7)];
    gone.note(resource(7));
    await reconcile();
    expect([recorded(), pending()]).toEqual([[], []]);
  });

  test('are given up although a status names them that nobody sealed', async () => {
    directory.set(KEY, ready);
    kept = [certificate({ status: { ...resource(7).status, seal: 'v1:of:somebody' } })];
    gone.note(resource(7));
    await reconcile();
    expect(recorded()).toEqual([7]);
  });

  test('are written once their issuer is gone', async () => {
    gone.note(resource(7));
    gone.review(KEY);
    expect(await drain(queue)).toEqual([]);
    issuerExists = false;
    gone.review(KEY);
    expect(await drain(queue)).toEqual([KEY]);
    await reconcile();
    expect([recorded(), pending()]).toEqual([[7], []]);
  });

  test('are forgotten with their issuer if nobody can tell whether the seal is true', async () => {
    installation = lost;
    gone.note(resource(7));
    issuerExists = false;
    await reconcile();
    expect([recorded(), pending()]).toEqual([[], []]);
  });
});

describe('goneConcluded: the attempts of a resource that is gone', () => {
  /** Writes an attempt of the resource into the journal. */
  async function opened(owner = OWNER): Promise<string> {
    const result = await view.open({ owner, group: 'me', make: () => attempt });
    if (result.is !== 'open') throw new Error('The journal has no room.');
    return result.id;
  }

  test('are given up one by one, at all accounts', async () => {
    const owners = [OWNER, attemptOwner('uid', otherAccount)];
    for (const owner of owners) await opened(owner);
    await opened(attemptOwner('other', digest));
    gone.noteAttempts('uid');
    expect(await drain(queue)).toEqual(owners);
  });

  test('are put on record once they can have no more effect', async () => {
    await opened();
    expect(await reconcile(OWNER)).toEqual({ requeueAfterMs: quietAfter(timing) });
    expect(view.entry(OWNER)).toBeDefined();

    await clock.advance(quietAfter(timing));
    expect(await reconcile(OWNER)).toEqual({});
    await clock.advance(1_000);

    expect(recordsOf(view, authority).abandoned).toMatchObject([{ uid: 'uid', afterId: attempt.afterId }]);
    expect([api.entryKeys, attempts.size]).toEqual([[], 0]);
  });

  test('stay if a resource with their uid is still there', async () => {
    await opened();
    kept = [resource(7)];
    await clock.advance(quietAfter(timing));
    expect(await reconcile(OWNER)).toEqual({});
    await clock.advance(1_000);
    expect(api.entryKeys).toHaveLength(1);
  });

  test('stay while the journal is not ready, which wakes whoever waits for it', async () => {
    await opened();
    isReady = false;
    expect(await reconcile(OWNER)).toEqual({});
    expect(waiting).toEqual([OWNER]);
  });

  test('that have ended leave nothing behind', async () => {
    const id = await opened();
    attempts.sent(OWNER, id, 0);
    attempts.sent(attemptOwner('uid', otherAccount), 'ended', 0);
    gone.noteAttempts('uid');
    expect(attempts.ownersOf('uid')).toEqual([OWNER]);
  });
});
