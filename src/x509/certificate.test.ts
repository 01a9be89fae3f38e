import { generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { hostileAuthority } from '../../test/support/x509/hostile-authorities.ts';
import { AUTHORITY, Vectors } from '../../test/support/x509/x509-vectors.ts';
import { readBundle, readCertificate } from './certificate.ts';
import { TAG, encode } from './der.ts';
import { X509Error } from './errors.ts';
import { PEM_LIMITS, writePem } from './pem.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());

/** An authority as TinyCert makes it: serial number 0, the account's e-mail address as alternative name. */
const root = vectors.make({
  subject:
    '/C=NL/ST=Limburg/L=Maastricht/O=ACME, Inc./OU=Secure Digital Certificate Signing/CN=ACME, Inc. CA',
  serial: '0',
  extensions: [
    ...AUTHORITY,
    'subjectAltName=email:owner@example.com',
    'issuerAltName=email:owner@example.com',
  ],
});
const leaf = vectors.make({
  subject: '/C=NL/O=Café \\/ Söhne/CN=WWW.Example.com',
  issuer: root,
  serial: '33332',
  days: 365,
  extensions: [
    'basicConstraints=CA:FALSE',
    'keyUsage=digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyAgreement',
    'subjectAltName=DNS:WWW.example.com,DNS:*.example.com,IP:192.0.2.1,IP:2001:db8:0:0::1,URI:https://Example.com/A,email:Info@Example.com',
  ],
});
const bare = vectors.make({ subject: '/C=NL/O=x/CN=Test2', issuer: root, serial: '24430' });

describe('a certificate', () => {
  test('of an authority is read with its serial number 0', () => {
    const certificate = readCertificate(root.cert);

    expect(certificate).toMatchObject({
      isCa: true,
      serialNumber: '00',
      subject: {
        country: 'NL',
        province: 'Limburg',
        locality: 'Maastricht',
        organization: 'ACME, Inc.',
        organizationalUnit: 'Secure Digital Certificate Signing',
        commonName: 'ACME, Inc. CA',
      },
      names: { commonName: 'ACME, Inc. CA', dns: [], email: ['owner@example.com'] },
    });
    expect(certificate.rawIssuer).toEqual(certificate.rawSubject);
  });

  test('has its names in normal form and its subject unchanged', () => {
    const certificate = readCertificate(leaf.cert);

    expect(certificate).toMatchObject({
      isCa: false,
      serialNumber: '8234',
      subject: { country: 'NL', organization: 'Café / Söhne', commonName: 'WWW.Example.com' },
      issuer: { organization: 'ACME, Inc.' },
      names: {
        commonName: 'www.example.com',
        dns: ['www.example.com', '*.example.com'],
        ip: ['192.0.2.1', '2001:db8::1'],
        uri: ['https://Example.com/A'],
        email: ['Info@example.com'],
      },
    });
  });

  test('has the same dates and fingerprints as with OpenSSL', () => {
    const certificate = readCertificate(leaf.cert);
    const file = vectors.write('crt', leaf.cert);
    const key = vectors.openssl('x509', '-in', file, '-noout', '-pubkey');

    expect(certificate.notBefore).toBe(certificate.x509.validFromDate.getTime());
    expect(certificate.notAfter).toBe(certificate.x509.validToDate.getTime());
    expect(certificate.notAfter - certificate.notBefore).toBe(365 * 86_400_000);
    expect(writePem('PUBLIC KEY', certificate.rawPublicKey)).toBe(key);
    expect(certificate.publicKeyFingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(certificate.publicKeyFingerprint).not.toBe(readCertificate(root.cert).publicKeyFingerprint);
  });

  test('without alternative names has none', () => {
    expect(readCertificate(bare.cert).names).toEqual({
      commonName: 'Test2',
      dns: [],
      ip: [],
      uri: [],
      email: [],
      other: [],
    });
  });

  test('without extensions is read too', () => {
    const old = vectors.make({ subject: '/O=x' });

    expect(readCertificate(old.cert)).toMatchObject({ isCa: false, names: { commonName: '', dns: [] } });
  });

  test('with alternative names of other kinds shows them', () => {
    const odd = vectors.make({
      subject: '/CN=x',
      extensions: [
        'subjectAltName=DNS:x.example.com,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:admin@corp,RID:1.2.3',
      ],
    });

    const { names } = readCertificate(odd.cert);

    expect(names.dns).toEqual(['x.example.com']);
    expect(names.other).toHaveLength(2);
  });

  test('with two common names has none that a spec could ask for', () => {
    const twice = vectors.make({ subject: '/CN=a.example.com/CN=b.example.com' });

    expect(readCertificate(twice.cert).names.commonName).toBe('a.example.com\nb.example.com');
  });

  test('is written as clean PEM, whatever text surrounded it', () => {
    const dirty = `subject=x\n${leaf.cert.replaceAll('\n', '\r\n')}\nmore`;

    expect(readCertificate(dirty).pem).toBe(leaf.cert);
  });
});

describe('a bundle', () => {
  test('keeps its order and reuses known certificates instead of parsing them again', () => {
    const known = readCertificate(root.cert);
    const bundle = readBundle(leaf.cert + root.cert, { known: [known] });

    expect(bundle.map((certificate) => certificate.serialNumber)).toEqual(['8234', '00']);
    expect(bundle[1]).toBe(known);
  });

  test('without certificates is empty', () => {
    expect(readBundle('# none yet\n')).toEqual([]);
  });
});

const bytesOfLeaf = readCertificate(leaf.cert).raw;

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof X509Error) return error.code;
    throw error;
  }
  return 'read';
}

describe('a text that is not one certificate', () => {
  test.each([
    ['two certificates', () => leaf.cert + root.cert, 'InvalidPem'],
    ['none', () => '', 'InvalidPem'],
    ['a private key', () => leaf.key, 'InvalidPem'],
    ['a text larger than any certificate', () => ' '.repeat(PEM_LIMITS.certificate + 1), 'TooLarge'],
    ['DER with more after it', () => pem(Buffer.concat([bytesOfLeaf, Buffer.from([0])])), 'InvalidDer'],
    ['sequences nested a thousand deep', () => pem(nested(1000)), 'InvalidDer'],
    ['an empty sequence', () => pem(encode(TAG.sequence)), 'InvalidDer'],
    [
      'February 30 as a date',
      () => pem(replaceOnce(bytesOfLeaf, utcTimeOf(bytesOfLeaf), '260230000000Z')),
      'InvalidDer',
    ],
  ])('is refused: %s', (_, text, code) => {
    expect(codeOf(() => readCertificate(text()))).toBe(code);
  });

  test('is refused if it is a certificate cut anywhere', () => {
    for (let length = 1; length < bytesOfLeaf.length; length += 1)
      expect(codeOf(() => readCertificate(pem(bytesOfLeaf.subarray(0, length))))).toBe('InvalidDer');
  });

  test('gives a certificate or an X509Error, whichever of its bytes are changed', () => {
    const index = fc.nat(bytesOfLeaf.length - 1);
    fc.assert(
      fc.property(fc.array(fc.tuple(index, fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = Buffer.from(bytesOfLeaf);
        for (const [at, byte] of changes) changed[at] = byte;

        expect(['read', 'InvalidDer', 'InvalidCertificate']).toContain(
          codeOf(() => readCertificate(pem(changed))),
        );
      }),
      { numRuns: 1500 },
    );
  });
});

function pem(der: Buffer): string {
  return writePem('CERTIFICATE', der);
}

function nested(depth: number): Buffer {
  let der = encode(TAG.sequence);
  for (let i = 0; i < depth; i += 1) der = encode(TAG.sequence, der);
  return der;
}

function utcTimeOf(der: Buffer): string {
  return /\d{12}Z/.exec(der.toString('latin1'))?.[0] ?? '';
}

function replaceOnce(der: Buffer, from: string, to: string): Buffer {
  return Buffer.from(der.toString('latin1').replace(from, to), 'latin1');
}

test('a certificate is refused unread if its EC key is not on a named curve', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-224', paramEncoding: 'explicit' });
  const pem = hostileAuthority({ subject: 'N', spki: publicKey.export({ type: 'spki', format: 'der' }) });

  expect(() => readCertificate(pem)).toThrow(
    expect.objectContaining({ code: 'InvalidCertificate', message: expect.stringContaining('named curve') }),
  );
});
