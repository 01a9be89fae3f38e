import { beforeEach, describe, expect, test } from 'vitest';
import { accountOf } from '../../../test/support/inputs/accounts.ts';
import {
  attempt,
  certificate,
  inputs,
  issued,
  otherAccount,
  ref,
} from '../../../test/support/inputs/inputs.ts';
import { TinyCertStage } from '../../../test/support/inputs/tinycert-step.ts';
import { tinycertView } from '../../../test/support/inputs/tinycert-view.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import type { Account } from '../../account/tinycert-account.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import { certificateKey } from '../../api/tinycert/identity.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { LastWritten } from '../../issuance/status/last-written.ts';
import { type Attempt, attemptOwner, boughtIn, nameHash } from '../../issuance/tinycert/attempt.ts';
import { claimsOf } from '../../issuance/tinycert/claims.ts';
import { markerOf } from '../../issuance/tinycert/marker.ts';
import type { TinyCertView } from '../../issuance/tinycert/records.ts';
import { sealOf } from '../../issuance/tinycert/seal.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { Work } from '../context/work.ts';
import { afterDoubt, AnswerDoubted, assertFits, assertOwnId } from './doubt.ts';

const own = certificate({ status: {} });
const names = { commonName: 'www.example.com', dns: ['www.example.com'], ip: [], uri: [], email: [] };
const otherNames = { ...names, commonName: 'b.example.com', dns: ['b.example.com'] };
const reissue: Attempt = { ...attempt, operation: 'Reissue', previousId: 7 };

let clock: VirtualClock;
let account: Account;
let view: TinyCertView;
beforeEach(() => {
  clock = new VirtualClock();
  account = accountOf(clock, {});
  ({ view } = tinycertView(clock));
});

/** Opens an attempt of another resource. */
async function asking(change: Partial<Attempt>, uid = 'other'): Promise<void> {
  const made = { ...attempt, ...change };
  await view.open({ owner: attemptOwner(uid, made.account), group: 'me', make: () => made });
}

/** Another resource of the account. */
function other(status: CertificateStatus, { uid = 'other', sealed = true } = {}): TinyCertCertificate {
  const seal = sealed ? sealOf(account, uid, status) : 'v1:forged';
  const resource = certificate({ status: { ...status, seal } });
  return { ...resource, metadata: { ...resource.metadata, name: uid, uid } };
}

/** Work on `own` beside others. `written` are those that the watch has not delivered yet. */
function work(
  others: readonly TinyCertCertificate[] = [],
  given: { of?: TinyCertCertificate; written?: TinyCertCertificate[]; marksFor?: string; key?: string } = {},
): Work {
  const writtenCertificates = new LastWritten<TinyCertCertificate>({ clock });
  for (const each of given.written ?? []) writtenCertificates.note(`ns/${each.metadata.name}`, '0', each);
  const secret = given.key
    ? {
        state: 'changed',
        content: {
          leaf: {
            serialNumber: issued.serialNumber,
            notAfter: Date.parse(issued.notAfter ?? ''),
            publicKeyFingerprint: given.key,
          },
        },
      }
    : { state: 'absent' };
  return {
    deps: {
      certificates: {
        byIndex: (_: string, id: string) =>
          others.filter(({ status }) => claimsOf(status).some((claim) => certificateKey(claim) === id)),
        values: () => others.values(),
      },
      writtenCertificates,
      kube: { find: () => Promise.resolve(undefined) },
      certificateSecrets: { read: () => Promise.resolve(secret) },
    },
    inputs: { ...inputs({}), certificate: given.of ?? own },
    view,
    issuer: {
      account,
      authority: { id: 1, name: 'Example' },
      marksFor: given.marksFor,
      material: () => Promise.resolve({ subject: { country: 'NL', organization: 'Example' } }),
    },
    signal: new AbortController().signal,
  } as unknown as Work;
}

function leaf(of: Partial<Certificate>): Certificate {
  return {
    names,
    subject: { commonName: 'www.example.com' },
    publicKeyFingerprint: 'key',
    ...of,
  } as Certificate;
}

describe('the id in an answer', () => {
  test('above the floor, that nobody claims, is believed', async () => {
    await expect(assertOwnId(work([other(issued)]), attempt, ref(8))).resolves.toBeUndefined();
  });

  test.each<[string, Attempt, number]>([
    ['the highest that was known before', attempt, 5],
    ['an older one', attempt, 2],
    ['the certificate to reissue', reissue, 7],
    ['one that is older than the certificate to reissue', reissue, 6],
  ])('replyAboveFloor: is in doubt if it is %s', async (_, asked, id) => {
    await expect(assertOwnId(work(), asked, ref(id))).rejects.toThrow('that is older than the request');
  });

  test.each<[string, CertificateStatus]>([
    ['has', issued],
    ['had', { ...issued, certificateId: 9, formerCertificates: [ref(7)] }],
  ])('replyUnclaimed: is in doubt if it is one that another resource %s', async (_, status) => {
    await expect(assertOwnId(work([other(status)]), attempt, ref(7))).rejects.toThrow('another resource has');
  });

  test('replyUnclaimed: is in doubt if it is one that the attempt of another resource is known to have bought', async () => {
    await asking({ certificateId: 7 });
    await expect(assertOwnId(work(), attempt, ref(7))).rejects.toThrow('another resource has');
    await expect(assertOwnId(work(), attempt, ref(8))).resolves.toBeUndefined();
  });

  test('is believed if it is what the resource’s own attempt is known to have bought', async () => {
    await asking({ certificateId: 7 }, 'uid');
    await expect(assertOwnId(work(), attempt, ref(7))).resolves.toBeUndefined();
  });

  test('replyUnclaimed: is in doubt if a status claims it that the watch has not delivered yet', async () => {
    const written = [other(issued)];
    await expect(assertOwnId(work([], { written }), attempt, ref(7))).rejects.toThrow(AnswerDoubted);
  });

  test('replyUnclaimed: is in doubt if another resource heard of it a moment ago', async () => {
    const of = { ...own, metadata: { ...own.metadata, uid: 'other' } };
    await assertOwnId(work([], { of }), attempt, ref(8));
    await expect(assertOwnId(work(), attempt, ref(8))).rejects.toThrow(AnswerDoubted);
    await expect(assertOwnId(work([], { of }), attempt, ref(8))).resolves.toBeUndefined();
  });

  test('is in doubt if the resource had it before', async () => {
    const of = certificate({ status: { formerCertificates: [ref(8)] } });
    await expect(assertOwnId(work([], { of }), attempt, ref(8))).rejects.toThrow(
      'that this resource had before',
    );
  });

  test('is believed against a claim that is neither sealed nor proved by a key', async () => {
    const forged = other(issued, { sealed: false });
    await expect(assertOwnId(work([forged]), attempt, ref(7))).resolves.toBeUndefined();
  });

  test.each<[string, Pick<Attempt, 'account' | 'authorityId'>]>([
    ['authority', { ...ref(7), authorityId: 2 }],
    ['account', ref(7, { account: otherAccount })],
  ])('is believed against the claim of another %s', async (_, { account: of, authorityId }) => {
    const at = { account: of, authorityId };
    const elsewhere = other({ ...issued, ...at });
    await asking({ ...at, certificateId: 7 });
    await expect(assertOwnId(work([elsewhere]), attempt, ref(7))).resolves.toBeUndefined();
  });
});

describe('replyFits: the certificate that an answer names', () => {
  const reissuing = certificate({ status: issued });

  test('is in doubt after a reissue if it has another key', async () => {
    const task = work([], { of: reissuing, key: 'key' });
    await expect(assertFits(task, reissue, ref(8), leaf({}))).resolves.toBeUndefined();
    await expect(
      assertFits(task, reissue, ref(8), leaf({ publicKeyFingerprint: 'another' })),
    ).rejects.toThrow('that does not have the key of the one to reissue');
  });

  test.each([markerOf('issuer', 'other'), 'IT', undefined])(
    'is in doubt after a marked request if its unit is %s',
    async (organizationalUnit) => {
      const subject = { ...names, ...(organizationalUnit ? { organizationalUnit } : {}) };
      await expect(
        assertFits(work([], { marksFor: 'issuer' }), attempt, ref(8), leaf({ subject })),
      ).rejects.toThrow('that does not carry the marker of this resource');
    },
  );

  test('is believed if it has the marker of the resource', async () => {
    const subject = { commonName: 'www.example.com', organizationalUnit: markerOf('issuer', 'uid') };
    await expect(
      assertFits(work([], { marksFor: 'issuer' }), attempt, ref(8), leaf({ subject })),
    ).resolves.toBeUndefined();
  });

  const forOthers = { nameHash: nameHash('b.example.com') };

  test('is in doubt if it has the names that another open attempt asked for', async () => {
    await asking(forOthers);
    await expect(assertFits(work(), attempt, ref(8), leaf({ names: otherNames }))).rejects.toThrow(
      'with names that another resource is asking for',
    );
  });

  test.each<[string, Partial<Attempt>, string?]>([
    ['nobody asked for them', {}],
    ['only the resource itself asked for them before', forOthers, 'uid'],
    ['it is older than that attempt', { ...forOthers, afterId: 8 }],
    ['it is older than what that attempt is to reissue', { ...forOthers, ...reissue, previousId: 8 }],
    ['that attempt is at another account', { ...forOthers, account: otherAccount }],
  ])('is held on to with other names if %s', async (_, asked, uid) => {
    await asking(asked, uid);
    await expect(assertFits(work(), attempt, ref(8), leaf({ names: otherNames }))).resolves.toBeUndefined();
  });
});

describe('replyOnce: an answer in doubt', () => {
  test('is counted with the attempt, which is recovered once it is quiet', async () => {
    const stage = new TinyCertStage();
    const owner = attemptOwner('uid', attempt.account);
    // It could not be published at once, so the journal has it.
    const { id } = await stage.opened({ certificateId: 9 });
    stage.deps.attempts.bought(owner, id, 0, ref(9));
    stage.account.hearsFirst(ref(9), 'uid');
    const open = stage.present();
    const doubt = new AnswerDoubted('that another resource has');

    expect(await afterDoubt(stage.work({ status: {} }), open, ref(9), doubt)).toEqual({ requeueAfterMs: 0 });

    const after = stage.present();
    expect(after).toMatchObject({ attempt: { doubts: 1 }, progress: { is: 'open' }, quietAt: open.quietAt });
    expect(boughtIn(after)).toBeUndefined();
    expect(stage.events).toEqual(['AnswerDoubted']);
    // Another resource may be the one that bought it.
    expect(stage.account.hearsFirst(ref(9), 'other')).toBe(true);

    await afterDoubt(stage.work({ status: {} }), after, ref(9), doubt);
    expect(stage.found()?.attempt.doubts).toBe(2);
  });
});
