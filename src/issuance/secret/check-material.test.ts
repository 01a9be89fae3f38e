import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AUTHORITY, type Vector, Vectors } from '../../../test/support/x509/x509-vectors.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';
import { type Names, normalNames } from '../../x509/names.ts';
import { AppError } from '../../lib/errors.ts';
import { checkMaterial, type Fetched } from './check-material.ts';

const ca = { caName: 'Example CA' };
const vectors = new Vectors();
const subject = '/C=NL/O=Example/CN=www.example.com';
const names: Names = normalNames({
  commonName: 'www.example.com',
  dns: ['www.example.com'],
  ip: [],
  uri: [],
  email: [],
});
const extensions = ['subjectAltName=DNS:www.example.com'];

let root: Vector;
let leaf: Vector;
let other: Vector;
let expected: { names: Names; root: Certificate; now: number };

beforeAll(() => {
  root = vectors.make({ subject: '/O=Example/CN=Example CA', extensions: AUTHORITY, serial: '0' });
  leaf = vectors.make({ subject, issuer: root, extensions });
  other = vectors.make({ subject: '/O=Other/CN=Other CA', extensions: AUTHORITY });
  expected = { names, root: readCertificate(root.cert), now: Date.now() };
});
afterAll(() => vectors.remove());

function fetched(change: Partial<Fetched> = {}): Fetched {
  return { chain: leaf.cert + root.cert, key: leaf.key, ...change };
}

test('the requested certificate passes, and the root is no part of its chain', () => {
  const source = checkMaterial(ca, fetched(), expected);

  expect(source.leaf.pem).toBe(readCertificate(leaf.cert).pem);
  expect(source).toMatchObject({ intermediates: [], root: expected.root });
  expect(source.key.matches(source.leaf)).toBe(true);
});

test('the intermediates of the chain are kept, and others are not', () => {
  const middle = vectors.make({ subject: '/O=Example/CN=Middle', issuer: root, extensions: AUTHORITY });
  const below = vectors.make({ subject, issuer: middle, extensions });

  const source = checkMaterial(
    ca,
    { chain: below.cert + other.cert + middle.cert + root.cert, key: below.key },
    expected,
  );

  expect(source.intermediates.map(({ pem }) => pem)).toEqual([readCertificate(middle.cert).pem]);
});

test.each([
  ['no certificate', { chain: '' }, 'Example CA sent no certificate.'],
  [
    'the key of another certificate',
    { key: 'other' },
    'The private key that Example CA sent does not fit the certificate.',
  ],
])('the message for %s names the CA', (_, change, message) => {
  const sent = fetched('key' in change ? { key: other.key } : change);
  expect(() => checkMaterial(ca, sent, expected)).toThrow(message);
});

describe('a mismatch is refused', () => {
  test('the key of another certificate', () => {
    expect(() => checkMaterial(ca, fetched({ key: other.key }), expected)).toThrow('does not fit');
  });

  test('names other than the requested ones', () => {
    const wanted = { ...expected, names: { ...names, dns: ['www.example.com', 'api.example.com'] } };
    expect(() => checkMaterial(ca, fetched(), wanted)).toThrow('other names');
  });

  test('another authority, even of the same name', () => {
    const twin = vectors.make({ subject: '/O=Example/CN=Example CA', extensions: AUTHORITY, serial: '0' });
    const forged = vectors.make({ subject, issuer: twin, extensions });
    expect(() => checkMaterial(ca, { chain: forged.cert + twin.cert, key: forged.key }, expected)).toThrow(
      'does not chain',
    );
  });

  test('a certificate that has expired', () => {
    expect(() => checkMaterial(ca, fetched(), { ...expected, now: Date.now() + 11 * 86_400_000 })).toThrow(
      'expired',
    );
  });

  test('a certificate that begins more than five minutes ahead, which is beyond clock skew', () => {
    const { notBefore } = readCertificate(leaf.cert);
    const check = (minutes: number) => (): unknown =>
      checkMaterial(ca, fetched(), { ...expected, now: notBefore - minutes * 60_000 });

    expect(check(4)).not.toThrow();
    expect(check(6)).toThrow('not valid yet');
  });

  test.each([
    ['nothing at all', ''],
    ['a page instead of a certificate', '<html>busy</html>'],
    ['a key in place of the chain', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
  ])('%s', (_, chain) => {
    expect(() => checkMaterial(ca, fetched({ chain }), expected)).toThrow(AppError);
  });
});
