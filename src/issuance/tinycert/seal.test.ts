import { expect, test } from 'vitest';
import { sealerOf } from '../../../test/support/inputs/accounts.ts';
import { otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { isSealed, sealOf, sealStateOf, type Sealed } from './seal.ts';

const sealer = sealerOf();
const status = {
  ...ref(7),
  attempt: {
    number: 1,
    id: 'a',
    operation: 'New',
    holder: 'pod',
    startTime: '2026-01-01T00:00:00.000Z',
    specHash: 'v1:x',
    commonName: 'www.example.com',
    requestHash: 'v1:y',
    since: '2026-01-01T00:00:00.000Z',
    afterId: 5,
    ...ref(7),
  },
} as const satisfies Sealed;
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
  [
    'another account in the attempt',
    'uid',
    { ...status, attempt: { ...status.attempt, account: otherAccount }, seal },
  ],
  ['a former certificate more', 'uid', { ...status, formerCertificates: [ref(8)], seal }],
  ['another id in the attempt', 'uid', { ...status, attempt: { ...status.attempt, certificateId: 8 }, seal }],
  [
    'an attempt that reaches further back',
    'uid',
    { ...status, attempt: { ...status.attempt, afterId: 1 }, seal },
  ],
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
