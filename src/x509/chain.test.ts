import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { hostileAuthority, rsaSpki, slowSpki } from '../../test/support/x509/hostile-authorities.ts';
import { AUTHORITY, Vectors } from '../../test/support/x509/x509-vectors.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { findChain, verifyChain } from './chain.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());
afterEach(() => vi.restoreAllMocks());

const make = (...options: Parameters<Vectors['make']>) => {
  const vector = vectors.make(...options);
  return { vector, certificate: readCertificate(vector.cert) };
};

const rootSubject = '/C=NL/O=ACME, Inc./CN=ACME, Inc. CA';
const root = make({ subject: rootSubject, serial: '0', extensions: AUTHORITY, days: 3650 });
const namesake = make({ subject: rootSubject, serial: '0', extensions: AUTHORITY });
const middle = make({ subject: '/O=m/CN=Middle', issuer: root.vector, extensions: AUTHORITY, days: 100 });
const lower = make({
  subject: '/O=l/CN=Lower',
  issuer: middle.vector,
  extensions: AUTHORITY,
  curve: 'P-256',
});
const leaf = make({ subject: '/CN=a', issuer: root.vector, days: 365 });
const deepLeaf = make({ subject: '/CN=b', issuer: lower.vector });
const fraud = make({ subject: '/CN=c', issuer: leaf.vector });

const day = 86_400_000;
const now = leaf.certificate.notBefore;

describe('a chain', () => {
  test('of a leaf that the authority signed is valid', () => {
    expect(verifyChain(leaf.certificate, [], root.certificate, now)).toEqual({
      ok: true,
      path: [],
      root: root.certificate,
    });
  });

  test('may repeat the root, as TinyCert sends it', () => {
    const again = readCertificate(root.vector.cert);

    expect(verifyChain(leaf.certificate, [again], root.certificate)).toMatchObject({ ok: true, path: [] });
  });

  test('is valid through intermediates in any order and omits unneeded ones', () => {
    const offered = [middle, namesake, lower].map(({ certificate }) => certificate);

    expect(verifyChain(deepLeaf.certificate, offered, root.certificate, now)).toEqual({
      ok: true,
      path: [lower.certificate, middle.certificate],
      root: root.certificate,
    });
  });

  test.each([
    [
      'an intermediate is missing',
      () => verifyChain(deepLeaf.certificate, [lower.certificate], root.certificate),
      'UnknownIssuer',
    ],
    [
      'another authority issued it',
      () => verifyChain(leaf.certificate, [], middle.certificate),
      'UnknownIssuer',
    ],
    [
      'the issuer only has the same name',
      () => verifyChain(leaf.certificate, [], namesake.certificate),
      'BadSignature',
    ],
    [
      'a leaf signed it',
      () => verifyChain(fraud.certificate, [leaf.certificate], root.certificate),
      'NotAnAuthority',
    ],
    [
      'the leaf is an authority',
      () => verifyChain(middle.certificate, [], root.certificate),
      'LeafIsAuthority',
    ],
    [
      'the root has expired',
      () => verifyChain(leaf.certificate, [], root.certificate, now + 3651 * day),
      'Expired',
    ],
    [
      'the root is not valid yet',
      () => verifyChain(leaf.certificate, [], root.certificate, root.certificate.notBefore - 1),
      'Expired',
    ],
    [
      'an intermediate has expired',
      () =>
        verifyChain(
          deepLeaf.certificate,
          [lower.certificate, middle.certificate],
          root.certificate,
          now + 101 * day,
        ),
      'Expired',
    ],
    [
      'there are more intermediates than are accepted',
      () =>
        verifyChain(
          leaf.certificate,
          Array.from({ length: 9 }, () => namesake.certificate),
          root.certificate,
        ),
      'TooLong',
    ],
  ])('is not valid if %s', (_, verify, reason) => {
    expect(verify()).toMatchObject({ ok: false, reason });
  });

  test('is not valid with a changed leaf', () => {
    const raw = Buffer.from(leaf.certificate.raw);
    raw[raw.length - 1] = (raw.at(-1) ?? 0) ^ 1;
    const changed = readCertificate(
      `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----`,
    );

    expect(verifyChain(changed, [], root.certificate)).toMatchObject({ ok: false, reason: 'BadSignature' });
  });
});

describe('a chain to one of several roots', () => {
  test('is found whichever root it is, and names that root', () => {
    const roots = [namesake.certificate, root.certificate];

    expect(findChain(deepLeaf.certificate, [lower.certificate, middle.certificate], roots)).toEqual({
      ok: true,
      path: [lower.certificate, middle.certificate],
      root: root.certificate,
    });
  });

  test('is not found if none of them issued the leaf', () => {
    expect(findChain(leaf.certificate, [], [namesake.certificate, middle.certificate])).toMatchObject({
      ok: false,
      reason: 'BadSignature',
    });
  });

  test('is not searched among more roots than are accepted', () => {
    const roots = Array.from({ length: 9 }, () => root.certificate);

    expect(findChain(leaf.certificate, [], roots)).toMatchObject({ ok: false, reason: 'TooLong' });
  });
});

describe('authorities of one name cost', () => {
  const authorities = (issuer: string, count: number, spki: () => Buffer): Certificate[] =>
    Array.from({ length: count }, () =>
      readCertificate(hostileAuthority({ subject: 'N', issuer, spki: spki() })),
    );
  const stray = readCertificate(
    vectors.make({
      subject: '/CN=stray',
      issuer: vectors.make({ subject: '/CN=N', extensions: AUTHORITY }),
    }).cert,
  );

  test('one signature each', () => {
    const spki = (): Buffer => rsaSpki({ modulus: 2048, exponent: 17 });
    const verify = vi.spyOn(X509Certificate.prototype, 'verify');

    const result = findChain(stray, authorities('X', 8, spki), authorities('N', 8, spki));

    expect(result).toMatchObject({ ok: false, reason: 'BadSignature' });
    expect(verify).toHaveBeenCalledTimes(16);
  });

  test('no signature if their keys are not accepted', () => {
    const verify = vi.spyOn(X509Certificate.prototype, 'verify');
    const publicKey = vi.spyOn(X509Certificate.prototype, 'publicKey', 'get');

    const result = findChain(stray, authorities('X', 8, slowSpki), authorities('N', 8, slowSpki));

    expect(result).toMatchObject({ ok: false, reason: 'KeyNotAccepted' });
    expect(verify).not.toHaveBeenCalled();
    expect(publicKey).not.toHaveBeenCalled();
  });
});
