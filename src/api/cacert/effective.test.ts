import { expect, test } from 'vitest';
import { cacertSpecHash, keySize, wantedEmails } from './effective.ts';
import type { CAcertCertificateSpec } from './certificate-spec.ts';

const spec: CAcertCertificateSpec = {
  secretName: 'mail',
  accountRef: { name: 'me' },
  emailAddresses: ['a@example.com', 'b@example.com'],
};

test('Each address is requested once, in its first spelling.', () => {
  expect(wantedEmails({ emailAddresses: ['b@x.org', 'A@x.org', 'B@x.org', 'a@X.org', 'c@x.org'] })).toEqual([
    'b@x.org',
    'A@x.org',
    'c@x.org',
  ]);
});

test.each<[string, Partial<CAcertCertificateSpec>]>([
  ['another order', { emailAddresses: ['b@example.com', 'a@example.com'] }],
  ['another case', { emailAddresses: ['A@example.com', 'b@example.com'] }],
  ['an address twice', { emailAddresses: ['a@example.com', 'b@example.com', 'a@example.com'] }],
  ['the default written out', { codeSigning: false, privateKey: { size: 3072, rotationPolicy: 'Never' } }],
  ['another Secret', { secretName: 'other', suspend: true }],
])('The hash is the same with %s.', (_, change) => {
  expect(cacertSpecHash({ ...spec, ...change })).toBe(cacertSpecHash(spec));
});

test.each<[string, Partial<CAcertCertificateSpec>]>([
  ['another account', { accountRef: { name: 'you' } }],
  ['a name', { commonName: 'Jane Doe' }],
  ['one address fewer', { emailAddresses: ['a@example.com'] }],
  ['the right to sign code', { codeSigning: true }],
  ['a longer key', { privateKey: { size: 4096, rotationPolicy: 'Always' } }],
])('The hash differs with %s.', (_, change) => {
  expect(cacertSpecHash({ ...spec, ...change })).not.toBe(cacertSpecHash(spec));
});

test('A key has 3072 bits by default.', () => {
  expect(keySize({})).toBe(3072);
  expect(keySize({ privateKey: { size: 2048, rotationPolicy: 'Always' } })).toBe(2048);
});
