import { afterAll, describe, expect, test } from 'vitest';
import { CAcertVectors, DAY, FITTING, spec } from '../../test/support/inputs/cacert-inputs.ts';
import type { CAcertCertificateSpec } from '../api/cacert/certificate-spec.ts';
import { MaterialError } from '../issuance/secret/check-material.ts';
import { readCertificate } from '../x509/certificate.ts';
import { checkCertificate, checkIssued } from './checks.ts';

const ca = new CAcertVectors();
afterAll(() => ca.remove());

const fitting = ca.sign();
const { notBefore, notAfter } = readCertificate(fitting.cert);
const now = notBefore + 60_000;
const { bundle } = ca;

/** The code of the error for a certificate made with these options; undefined if it passes. */
function codeOf(
  options: Parameters<typeof ca.sign>[0],
  change: Partial<CAcertCertificateSpec> = {},
): string | undefined {
  const leaf = readCertificate(options ? ca.sign(options).cert : fitting.cert);
  try {
    checkCertificate(leaf, { spec: { ...spec, ...change }, bundle, now });
    return undefined;
  } catch (error) {
    if (error instanceof MaterialError) return error.code;
    throw error;
  }
}

describe('a certificate passes', () => {
  test.each<[string, Parameters<typeof codeOf>[0], Partial<CAcertCertificateSpec>?]>([
    ['as CAcert signs it for a spec without a name', undefined],
    ['with the anonymous name of the policy', { subject: '/CN=CAcert WoT Member' }],
    ['with the name that the spec asks for', { subject: '/CN=Jane Doe' }, { commonName: 'Jane Doe' }],
    [
      'with the addresses in another order and case',
      { extensions: [FITTING[0]!, 'subjectAltName=email:JANE@example.org,email:a@example.org'] },
      { emailAddresses: ['a@example.org', 'jane@example.org'] },
    ],
    [
      'with the addresses repeated in the subject',
      { subject: '/CN=CAcert WoT User/emailAddress=jane@example.org' },
    ],
    [
      'with the right to code signing',
      { extensions: ['extendedKeyUsage=clientAuth,codeSigning', FITTING[1]!] },
      { codeSigning: true },
    ],
  ])('%s', (_, options, change) => {
    expect(codeOf(options, change)).toBeUndefined();
  });
});

describe('a certificate is refused', () => {
  test.each<[string, Parameters<typeof codeOf>[0], Partial<CAcertCertificateSpec>, string]>([
    ['with a name although the spec has none', { subject: '/CN=Jane Doe' }, {}, 'IncorrectCertificate'],
    ['with another name', { subject: '/CN=Jan Doe' }, { commonName: 'Jane Doe' }, 'IncorrectCertificate'],
    [
      'with the anonymous name instead of a name',
      undefined,
      { commonName: 'Jane Doe' },
      'IncorrectCertificate',
    ],
    [
      'without one of the addresses',
      undefined,
      { emailAddresses: ['jane@example.org', 'a@example.org'] },
      'IncorrectCertificate',
    ],
    [
      'with an additional address',
      { extensions: [FITTING[0]!, 'subjectAltName=email:jane@example.org,email:a@example.org'] },
      {},
      'IncorrectCertificate',
    ],
    [
      'with another address in the subject',
      { subject: '/CN=CAcert WoT User/emailAddress=a@example.org' },
      {},
      'IncorrectCertificate',
    ],
    [
      'without client authentication',
      { extensions: ['extendedKeyUsage=emailProtection', FITTING[1]!] },
      {},
      'IncorrectCertificate',
    ],
    ['without any extended usage', { extensions: [FITTING[1]!] }, {}, 'IncorrectCertificate'],
    [
      'without the code signing that the spec asks for',
      undefined,
      { codeSigning: true },
      'IncorrectCertificate',
    ],
  ])('%s', (_, options, change, code) => {
    expect(codeOf(options, change)).toBe(code);
  });

  test('with a name, and is told how to write it if CAcert left it out', () => {
    const expected = { spec: { ...spec, commonName: 'jane doe' }, bundle, now };
    expect(() => checkCertificate(readCertificate(fitting.cert), expected)).toThrow(/letter for letter/);
  });

  test('of an authority that is not in the bundle', () => {
    const other = new CAcertVectors();
    const expected = { spec, bundle: other.bundle, now };
    other.remove();
    expect(() => checkCertificate(readCertificate(fitting.cert), expected)).toThrow(
      expect.objectContaining({ code: 'IncorrectIssuer' }),
    );
  });

  test.each([
    ['once it has expired', notAfter, 'Expired'],
    ['more than a clock may differ before it begins', notBefore - DAY, 'NotYetValid'],
  ])('%s', (_, at, code) => {
    expect(() => checkCertificate(readCertificate(fitting.cert), { spec, bundle, now: at })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test('for another key than the pending one', () => {
    const { privateKey } = ca.sign();
    expect(() => checkIssued(fitting.cert, privateKey, { spec, bundle, now })).toThrow(
      expect.objectContaining({ code: 'InvalidKeyPair' }),
    );
  });
});

describe('what passes', () => {
  test('becomes leaf, key and root', () => {
    const source = checkIssued(fitting.cert, fitting.privateKey, { spec, bundle, now });
    const leaf = readCertificate(fitting.cert);

    expect(source).toMatchObject({ intermediates: [], key: fitting.privateKey, root: bundle.roots[0] });
    expect(source.leaf.pem).toBe(leaf.pem);
  });

  test('comes with the intermediate of its chain and without the root', () => {
    const { vectors, authority } = ca;
    const extensions = ['basicConstraints=critical,CA:TRUE'];
    const between = vectors.make({ subject: '/CN=CAcert Class 3 Root', issuer: authority, extensions });
    const signed = ca.sign({ issuer: between });
    const intermediates = [readCertificate(between.cert)];
    const source = checkIssued(signed.cert, signed.privateKey, {
      spec,
      bundle: { ...bundle, intermediates },
      now,
    });

    expect(source).toMatchObject({ intermediates, root: bundle.roots[0] });
    expect(() => checkIssued(signed.cert, signed.privateKey, { spec, bundle, now })).toThrow(
      expect.objectContaining({ code: 'IncorrectIssuer' }),
    );
  });
});
