import { expect, test } from 'vitest';
import { accountDigest as digestOfOperator } from '../../../src/api/tinycert/identity.ts';
import { accountDigest, keyOf, keysOf } from './identity.ts';

test('an account has the digest that the operator writes', () => {
  const endpoint = 'https://127.0.0.1:1234/api/v1/';

  expect(accountDigest(endpoint, 'ops@example.com')).toBe(digestOfOperator(endpoint, 'ops@example.com'));
});

test('the same id at another account or authority is another certificate', () => {
  const ref = { account: 'a', authorityId: 1, certificateId: 2 };

  expect(
    new Set([ref, { ...ref, account: 'b' }, { ...ref, authorityId: 2 }, { ...ref }].map(keyOf)).size,
  ).toBe(3);
});

test.each([
  ['its account', { authorityId: 1, certificateId: 2 }],
  ['its authority', { account: 'a', certificateId: 2 }],
  ['a number', { account: 'a', authorityId: 1 }],
])('an id without %s names no certificate', (_, stated) => {
  expect(keysOf([stated])).toEqual([]);
});
