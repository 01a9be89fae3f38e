import { afterAll, expect, test } from 'vitest';
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
