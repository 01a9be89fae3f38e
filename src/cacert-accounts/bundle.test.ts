import { afterAll, expect, test } from 'vitest';
import { hostileAuthority, rsaSpki, slowSpki } from '../../test/support/x509/hostile-authorities.ts';
import { AUTHORITY, Vectors } from '../../test/support/x509/x509-vectors.ts';
import { fingerprintOf, readCertificate } from '../x509/certificate.ts';
import { bundleOf } from './bundle.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());

const make = (subject: string, options: Partial<Parameters<Vectors['make']>[0]> = {}) =>
  vectors.make({ subject, extensions: AUTHORITY, curve: 'P-256', ...options });
const root = make('/CN=Root');
const otherRoot = make('/CN=Other');
const class3 = make('/CN=Class 3', { issuer: root });
const leaf = make('/CN=leaf', { issuer: root, extensions: [] });
const print = (pem: string): string => fingerprintOf(readCertificate(pem));
const withColons = (digits: string): string => (digits.toUpperCase().match(/../g) ?? []).join(':');

const NOW = Date.now();
const AFTER_EXPIRY = NOW + 11 * 86_400_000;

test.each<[string, string[], string[] | undefined, string[], string[]]>([
  ['a root', [root.cert], undefined, ['Root'], []],
  ['a root and an intermediate', [root.cert, class3.cert], undefined, ['Root'], ['Class 3']],
  ['two roots', [root.cert, otherRoot.cert], undefined, ['Root', 'Other'], []],
  ['a certificate that is no authority', [root.cert, leaf.cert], undefined, ['Root'], []],
  ['a pinned root', [root.cert, class3.cert], [print(root.cert)], ['Root'], ['Class 3']],
  ['a root that is pinned with colons', [root.cert], [withColons(print(root.cert))], ['Root'], []],
])('a bundle of %s', (_, pems, rootFingerprints, roots, intermediates) => {
  const bundle = bundleOf(pems.join(''), rootFingerprints ? { rootFingerprints } : {}, NOW);
  const named = (commonName: string): object => ({ names: { commonName } });
  expect(bundle).toMatchObject({ roots: roots.map(named), intermediates: intermediates.map(named) });
});

test.each<[string, string, string, number, string[] | undefined]>([
  ['text that is no PEM', 'CABundleInvalid', '-----BEGIN CERTIFICATE-----\nx', NOW, undefined],
  ['no root', 'CABundleInvalid', class3.cert, NOW, undefined],
  ['an expired root', 'CABundleInvalid', root.cert, AFTER_EXPIRY, undefined],
  ['a root that is not pinned', 'RootNotPinned', root.cert + otherRoot.cert, NOW, [print(root.cert)]],
])('a bundle of %s: %s', (_, reason, pem, now, rootFingerprints) => {
  expect(bundleOf(pem, rootFingerprints ? { rootFingerprints } : {}, now)).toMatchObject({ reason });
});

test('a root that is not pinned is named by its fingerprint', () => {
  const { message } = bundleOf(root.cert, { rootFingerprints: ['00'.repeat(32)] }, NOW) as {
    message: string;
  };
  expect(message).toContain(print(root.cert));
});

const spki = rsaSpki({ modulus: 2048, exponent: 17 });
const roots = (count: number): string => hostileAuthority({ subject: 'N', spki }).repeat(count);
const intermediates = (count: number): string =>
  hostileAuthority({ subject: 'N', issuer: 'X', spki }).repeat(count);
const IN_2026 = Date.parse('2026-06-01T00:00:00Z');

test('a bundle may contain eight roots and eight intermediates', () => {
  const bundle = bundleOf(roots(8) + intermediates(8), {}, IN_2026);

  expect(bundle).toMatchObject({ roots: { length: 8 }, intermediates: { length: 8 } });
});

test.each([
  ['nine roots', roots(9), '9 roots'],
  ['nine intermediates', roots(1) + intermediates(9), '9 intermediates'],
])('a bundle of %s is refused, and the message says what to remove', (_, pem, count) => {
  expect(bundleOf(pem, {}, IN_2026)).toEqual({
    reason: 'CABundleInvalid',
    message: `The bundle contains ${count}, more than the 8 that are accepted: remove those that are not CAcert’s.`,
  });
});

test.each<[string, { issuer?: string }]>([
  ['a root', {}],
  ['an intermediate', { issuer: 'X' }],
])('%s whose key would make checks slow is refused and named by its fingerprint', (_, options) => {
  const slow = hostileAuthority({ subject: 'N', spki: slowSpki(), ...options });
  const result = bundleOf(roots(1) + slow, {}, IN_2026);

  expect(result).toMatchObject({ reason: 'CABundleInvalid' });
  expect(result).toMatchObject({ message: expect.stringContaining(print(slow)) });
  expect(result).toMatchObject({ message: expect.stringContaining('RSA of at most 8192 bits') });
});
