import { describe, expect, test } from 'vitest';
import { account, issued, otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import type { CertificateStatus, FormerAccount } from '../../api/tinycert/certificate-status.ts';
import { accountIn } from './claims.ts';
import { hasDuty, leaving } from './former-accounts.ts';
import { sha256Hex } from '../../lib/hash.ts';
import { isSealed, sealOf } from './seal.ts';

const sealer = { sealCodes: (text: string) => ({ installation: sha256Hex(text), apiKey: 'b' }) };
const pending = { ...ref(3), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' } as const;
const metadata = { name: 'web', uid: 'uid' };

/** A status as its operator sealed it. */
function sealed(status: CertificateStatus): CertificateStatus {
  return { ...status, seal: sealOf(sealer, 'uid', status) };
}

/** The only former account after a resource left its account for the other one. */
function left(status: CertificateStatus): FormerAccount | undefined {
  return leaving(status, otherAccount)?.formerAccounts?.[0];
}

describe('a resource that leaves its account', () => {
  test.each<[string, CertificateStatus]>([
    [
      'a certificate, promises and former certificates',
      { ...issued, formerCertificates: [ref(2)], pendingRevocations: [pending] },
    ],
    ['promises and nothing else', { pendingRevocations: [pending] }],
    ['former certificates and nothing else', { formerCertificates: [ref(2)] }],
  ])('keeps them with their seal: %s', (_, status) => {
    const former = left(sealed(status));
    expect(former).toMatchObject({ account });
    expect(former && isSealed(sealer, { metadata, status: former })).toBe(true);
  });

  test('has nothing of it in the rest of its status, failures included', () => {
    const change = leaving(
      sealed({ ...issued, failedAttempts: 3, pendingRevocations: [pending] }),
      otherAccount,
    );
    expect(change).toMatchObject({
      account: null,
      authorityId: null,
      certificateId: null,
      attemptId: null,
      pendingRevocations: null,
      seal: null,
      failedAttempts: null,
      nextAttemptTime: null,
    });
  });

  test('keeps what it left at others before', () => {
    const before = { account: otherAccount, formerCertificates: [ref(9, { account: otherAccount })] };
    const third = leaving({ ...issued, formerAccounts: [before] }, 'x' as typeof account);
    expect(third?.formerAccounts).toMatchObject([before, { account, certificateId: 7 }]);
  });

  test('keeps nothing of an account at which it has no certificate', () => {
    const change = leaving({ account, authorityId: 1, attemptId: 'a' }, otherAccount);
    expect(change).toMatchObject({ account: null, attemptId: null, formerAccounts: null });
  });

  test.each<[string, CertificateStatus | undefined]>([
    ['is its own', issued],
    ['is named nowhere', { formerAccounts: [{ account: otherAccount }] }],
    ['is that of a new resource', undefined],
  ])('does not, if the account %s', (_, status) => {
    expect(leaving(status, account)).toBeUndefined();
  });
});

test('a status is of the account of its certificate, or of what else it names', () => {
  expect(accountIn(issued)).toBe(account);
  expect(accountIn({ formerCertificates: [ref(2)] })).toBe(account);
  expect(accountIn({ pendingRevocations: [pending] })).toBe(account);
  expect(accountIn({ formerAccounts: [{ account }] })).toBeUndefined();
});

describe('at a former account is something to do', () => {
  const none = { onReplace: 'None', isReplaced: true } as const;
  test.each<[string, FormerAccount, Parameters<typeof hasDuty>[1], boolean]>([
    ['while a promise is not kept', { account, pendingRevocations: [pending] }, none, true],
    ['not for former certificates', { account, formerCertificates: [ref(2)] }, none, false],
    ['not for its certificate', { ...ref(7) }, none, false],
    ['for its certificate, once that was replaced', ref(7), { onReplace: 'Hold', isReplaced: true }, true],
    ['not for its certificate before', ref(7), { onReplace: 'Hold', isReplaced: false }, false],
  ])('%s', (_, former, given, want) => {
    expect(hasDuty(former, given)).toBe(want);
  });
});
