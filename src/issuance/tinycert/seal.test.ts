import { describe, expect, test } from 'vitest';
import { sealerOf } from '../../../test/support/inputs/accounts.ts';
import { otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { Account } from '../../account/tinycert-account.ts';
import { installationSealer, isSealed, sealOf, sealStateOf, type Sealed } from './seal.ts';

const sealer = sealerOf();
const pending = { ...ref(6), action: 'Revoke', notBefore: '2026-01-01T00:00:00Z' } as const;
const status: Sealed = { ...ref(7), attemptId: 'a', pendingRevocations: [pending] };
const seal = sealOf(sealer, 'uid', status);

function resource(uid: string, sealed: Sealed & { seal?: string }) {
  return { metadata: { name: 'web', uid }, status: sealed };
}

test('a status is trusted as it was sealed', () => {
  expect(isSealed(sealer, resource('uid', { ...status, seal }))).toBe(true);
});

test.each([
  ['another certificate id', 'uid', { ...status, certificateId: 8, seal }],
  ['another authority', 'uid', { ...status, authorityId: 2, seal }],
  ['another account', 'uid', { ...status, account: otherAccount, seal }],
  ['a former certificate more', 'uid', { ...status, formerCertificates: [ref(8)], seal }],
  ['another revocation', 'uid', { ...status, pendingRevocations: [{ ...pending, ...ref(5) }], seal }],
  ['no revocation', 'uid', { ...status, pendingRevocations: [], seal }],
  // Otherwise a forged status would have an open attempt dropped.
  ['the id of another attempt', 'uid', { ...status, attemptId: 'b', seal }],
  ['the id of no attempt', 'uid', { ...ref(7), pendingRevocations: [pending], seal }],
  ['the seal of another resource', 'other', { ...status, seal }],
  ['no seal', 'uid', status],
  ['an empty seal', 'uid', { ...status, seal: '' }],
])('a status with %s is not trusted', (_, uid, forged) => {
  expect(isSealed(sealer, resource(uid, forged))).toBe(false);
});

test('a seal of another installation with another API key is not trusted', () => {
  const other = sealerOf({ installation: 'another', apiKey: 'another' });
  expect(isSealed(other, resource('uid', { ...status, seal }))).toBe(false);
});

test.each([
  ['both keys are as they were', {}, 'whole'],
  ['the API key was replaced', { apiKey: 'new' }, 'partial'],
  ['the key of the installation was lost', { installation: 'new' }, 'partial'],
  ['both are new', { apiKey: 'new', installation: 'new' }, 'broken'],
])('if %s, the seal is %s', (_, keys, state) => {
  expect(sealStateOf(sealerOf(keys), resource('uid', { ...status, seal }))).toBe(state);
});

describe('by the key of the installation alone', () => {
  /** An account of an installation, as an operator opens it. */
  const accountOf = (sealKey: string, apiKey: string): Account =>
    new Account({ digest: status.account!, client: {} as never, gate: {} as never, apiKey, sealKey });
  const installation = installationSealer(() => Buffer.from('ours'));

  test.each([
    ['whatever API key there was', 'ours', 'any', true],
    ['but no other installation', 'theirs', 'any', false],
  ])('a seal of the installation is proof, %s', (_, sealKey, apiKey, want) => {
    const made = sealOf(accountOf(sealKey, apiKey), 'uid', status);
    expect(isSealed(installation, resource('uid', { ...status, seal: made }))).toBe(want);
  });

  test('no API key is, not even one that is guessed', () => {
    const [, , apiKey = ''] = sealOf(accountOf('theirs', ''), 'uid', status).split(':');
    const [, , own = ''] = sealOf(
      installationSealer(() => Buffer.from('ours')),
      'uid',
      status,
    ).split(':');
    for (const code of [apiKey, own]) {
      const forged = `v1:${'0'.repeat(64)}:${code}`;
      expect(isSealed(installation, resource('uid', { ...status, seal: forged }))).toBe(false);
    }
  });
});

test.each([
  ['the codes swapped', (a: string, b: string) => `v1:${b}:${a}`],
  ['one code twice', (a: string) => `v1:${a}:${a}`, 'partial'],
  ['only one code', (a: string) => `v1:${a}`],
  ['a third part', (a: string, b: string) => `v1:${a}:${b}:`],
  ['another version', (a: string, b: string) => `v2:${a}:${b}`],
  ['empty codes', () => 'v1::'],
  ['a code cut short', (a: string) => `v1:${a.slice(0, 32)}:`],
])('a seal with %s proves no more than it holds', (_, forge, state = 'broken') => {
  const [, installation = '', apiKey = ''] = seal.split(':');
  const forged = forge(installation, apiKey);
  expect(sealStateOf(sealer, resource('uid', { ...status, seal: forged }))).toBe(state);
});
