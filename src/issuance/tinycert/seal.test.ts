import { expect, test } from 'vitest';
import { otherAccount, ref } from '../../../test/support/inputs/inputs.ts';
import { hmacHex } from '../../lib/hash.ts';
import { isSealed, sealOf, type Sealed } from './seal.ts';

const sealer = { seal: (text: string) => hmacHex('api key', text) };
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

test('a seal of another account is not trusted', () => {
  const other = { seal: (text: string) => hmacHex('another key', text) };
  expect(isSealed(other, resource('uid', { ...status, seal }))).toBe(false);
});
