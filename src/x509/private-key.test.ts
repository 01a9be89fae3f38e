import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Vectors } from '../../test/support/x509/x509-vectors.ts';
import { readCertificate } from './certificate.ts';
import { DerCursor, TAG, encode } from './der.ts';
import { X509Error } from './errors.ts';
import { PEM_LIMITS, readPem, writePem } from './pem.ts';
import { keyPairMatches, readPrivateKey, toPkcs8 } from './private-key.ts';
import { pkcs1Of, pkcs8Of } from './rsa.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());

const rsa = vectors.make({ subject: '/CN=rsa' });
const otherRsa = vectors.make({ subject: '/CN=other' });
const ec = vectors.make({ subject: '/CN=ec', curve: 'P-256' });
const otherEc = vectors.make({ subject: '/CN=other-ec', curve: 'P-256' });
const pkcs1 = createPrivateKey(rsa.key).export({ type: 'pkcs1', format: 'pem' }).toString();
const sec1 = createPrivateKey(ec.key).export({ type: 'sec1', format: 'pem' }).toString();
const ecParameters = vectors.openssl('ecparam', '-name', 'prime256v1');

describe('a private key', () => {
  test.each([
    ['PKCS#8 with RSA', rsa.key, rsa.key],
    ['PKCS#1', pkcs1, rsa.key],
    ['PKCS#8 with EC', ec.key, ec.key],
    ['SEC 1', sec1, ec.key],
    ['SEC 1 after its parameters', ecParameters + sec1, ec.key],
    [
      'PKCS#8 with Windows line ends and text around it',
      `Key:\r\n${rsa.key.replaceAll('\n', '\r\n')}.`,
      rsa.key,
    ],
  ])('in %s becomes the same PKCS#8', (_, text, want) => {
    expect(toPkcs8(text)).toBe(want);
  });

  test.each([
    ['its own RSA certificate', rsa, rsa.key, true],
    ['its own RSA certificate, as PKCS#1', rsa, pkcs1, true],
    ['its own EC certificate', ec, ec.key, true],
    ['its own EC certificate, as SEC 1', ec, sec1, true],
    ['another RSA certificate', rsa, otherRsa.key, false],
    ['another EC certificate', ec, otherEc.key, false],
    ['a certificate of another kind of key', ec, rsa.key, false],
    ['a certificate of another kind of key, the other way', rsa, ec.key, false],
    ['any certificate, if it is not a key', rsa, 'no key', false],
    ['any certificate, if it is a certificate itself', rsa, rsa.cert, false],
  ])('against %s', (_, { cert }, key, want) => {
    expect(keyPairMatches(readCertificate(cert), key)).toBe(want);
  });

  test.each([
    ['nothing', '', 'InvalidPrivateKey'],
    ['two keys', rsa.key + ec.key, 'InvalidPrivateKey'],
    ['a certificate', rsa.cert, 'InvalidPrivateKey'],
    ['an encrypted key', encrypted(), 'InvalidPrivateKey'],
    ['a key of another kind', ed25519(), 'InvalidPrivateKey'],
    ['no DER in PKCS#8', pem('PRIVATE KEY', Buffer.from('hello')), 'InvalidDer'],
    ['no DER in PKCS#1', pem('RSA PRIVATE KEY', Buffer.from('hello')), 'InvalidDer'],
    ['no DER in SEC 1', pem('EC PRIVATE KEY', Buffer.from('hello')), 'InvalidDer'],
    ['a text above the limit', ' '.repeat(PEM_LIMITS.privateKey + 1), 'TooLarge'],
  ])('is refused: %s', (_, text, code) => {
    expect(refusal(text)).toMatchObject({ code });
  });

  test.each([
    ['RSA', rsa.key, rsa.cert, 'rsa'],
    ['RSA in PKCS#1', pkcs1, rsa.cert, 'rsa'],
    ['EC', ec.key, ec.cert, 'ec'],
    ['EC in SEC 1', sec1, ec.cert, 'ec'],
  ])(
    'of %s has the public key of its certificate, which verifies its signatures',
    async (_, text, cert, type) => {
      const key = readPrivateKey(text);
      const data = Buffer.from('to be signed');
      const signature = await key.sign(data);

      expect(key.type).toBe(type);
      expect(key.toPublicKey().equals(readCertificate(cert).rawPublicKey)).toBe(true);
      expect(verify('sha256', data, createPublicKey(cert), signature)).toBe(true);
      expect(verify('sha256', Buffer.from('another'), createPublicKey(cert), signature)).toBe(false);
    },
  );

  test('is refused if a single bit of an RSA key is wrong, though OpenSSL would load it', () => {
    const der = derOf(rsa.key);
    const outcomes = new Set<boolean>();
    for (let at = 0; at < der.length; at += 1) {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ 1;
      outcomes.add(works(changed));
    }

    expect(outcomes).toEqual(new Set([false]));
  });

  test.each<[string, (numbers: Numbers) => Numbers]>([
    ['negative primes', (n) => ({ ...n, p: stripped(n.p), q: stripped(n.q) })],
    ['a negative modulus', (n) => ({ ...n, modulus: stripped(n.modulus) })],
    ['leading zeros', (n) => ({ ...n, p: Buffer.concat([Buffer.alloc(3), n.p]) })],
    ['a longer private exponent', (n) => ({ ...n, d: contentOf(valueOf(n.d) + orderOf(n)) })],
    [
      'a far longer private exponent',
      (n) => ({ ...n, d: contentOf(valueOf(n.d) + orderOf(n) * 2n ** 999n) }),
    ],
    ['an empty number', (n) => ({ ...n, qInverse: Buffer.alloc(0) })],
  ])('is refused with %s, as Go refuses it, though OpenSSL would load it', (_, change) => {
    expect(works(withNumbers((numbers) => numbers))).toBe(true);
    expect(works(withNumbers(change))).toBe(false);
  });

  test('never appears in an error or when it is printed', () => {
    const der = derOf(rsa.key);
    const secret = der.subarray(40, 60);
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(der);
        changed[at] = byte;
        const error = refusal(pem('PRIVATE KEY', changed));
        const shown = error === undefined ? '' : inspect(error, { depth: 9, showHidden: true });

        expect(error?.cause).toBeUndefined();
        expect(shown).not.toContain(secret.toString('base64').slice(0, 20));
        expect(shown).not.toContain(secret.toString('hex'));
      }),
    );
    const key = readPrivateKey(rsa.key);
    const shown = inspect(key, { depth: 9, showHidden: true, getters: true }) + JSON.stringify(key);
    expect(shown).not.toMatch(/PRIVATE|Buffer|[0-9a-f]{16}/);
  });
});

/** The content of each INTEGER of a PKCS#1 key. */
interface Numbers {
  modulus: Buffer;
  e: Buffer;
  d: Buffer;
  p: Buffer;
  q: Buffer;
  dp: Buffer;
  dq: Buffer;
  qInverse: Buffer;
}

/** The RSA key in PKCS#8 with other numbers. */
function withNumbers(change: (numbers: Numbers) => Numbers): Buffer {
  const key = new DerCursor(pkcs1Of(derOf(rsa.key)) ?? Buffer.alloc(0)).enter(TAG.sequence);
  key.next(TAG.integer);
  const next = (): Buffer => key.next(TAG.integer).content;
  const [modulus, e, d, p, q, dp, dq, qInverse] = [
    next(),
    next(),
    next(),
    next(),
    next(),
    next(),
    next(),
    next(),
  ];
  const numbers = change({ modulus, e, d, p, q, dp, dq, qInverse });
  const content = [Buffer.from([0]), ...Object.values<Buffer>({ ...numbers })];
  return pkcs8Of(encode(TAG.sequence, ...content.map((each) => encode(TAG.integer, each))));
}

/** Without the byte that keeps it positive. */
function stripped(content: Buffer): Buffer {
  return content.subarray(content[0] === 0 ? 1 : 0);
}

function valueOf(content: Buffer): bigint {
  return BigInt(`0x${content.toString('hex')}`);
}

function contentOf(value: bigint): Buffer {
  const hex = value.toString(16);
  const content = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return (content[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), content]) : content;
}

/** Adding it to the private exponent changes no signature. */
function orderOf({ p, q }: Numbers): bigint {
  return (valueOf(p) - 1n) * (valueOf(q) - 1n);
}

/** Whether a changed key is accepted for the certificate. */
function works(der: Buffer): boolean {
  return keyPairMatches(readCertificate(rsa.cert), pem('PRIVATE KEY', der));
}

function refusal(text: string): X509Error | undefined {
  try {
    readPrivateKey(text);
  } catch (error) {
    if (error instanceof X509Error) return error;
    throw error;
  }
  return undefined;
}

function derOf(text: string): Buffer {
  return readPem(text, PEM_LIMITS.privateKey)[0]?.der ?? Buffer.alloc(0);
}

function pem(label: string, der: Buffer): string {
  return writePem(label, der);
}

function encrypted(): string {
  return createPrivateKey(rsa.key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
}

function ed25519(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
