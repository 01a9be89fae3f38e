import { type KeyObject, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { Certificate } from './certificate.ts';
import { isNamedEcKey } from './ec.ts';
import { X509Error } from './errors.ts';
import { PEM_LIMITS, readPem, writePem } from './pem.ts';
import { type RsaPrivateKey, isPublicPart, pkcs1Of, pkcs8Of, readRsaKey, spkiOf } from './rsa.ts';

/** With a callback, Node signs on one of libuv's threads. */
const signOnThread = promisify(sign);

/** A private key that has been checked. Neither `util.inspect` nor `JSON.stringify` shows it. */
export class PrivateKey {
  readonly #der: Buffer;
  readonly #key: RsaPrivateKey | KeyObject;

  constructor(der: Buffer, key: RsaPrivateKey | KeyObject) {
    this.#der = der;
    this.#key = key;
  }

  /** Bits of the modulus; undefined for a key that is not RSA. */
  get modulusBits(): number | undefined {
    return 'modulus' in this.#key ? bitLength(this.#key.modulus) : undefined;
  }

  /** The key as PKCS#8 PEM: lines of 64 characters, a final line break. */
  toPkcs8(): string {
    return writePem('PRIVATE KEY', this.#der);
  }

  /** The algorithm of the key. */
  get type(): 'rsa' | 'ec' {
    return 'modulus' in this.#key ? 'rsa' : 'ec';
  }

  /** The public key as SubjectPublicKeyInfo, DER. */
  toPublicKey(): Buffer {
    return 'modulus' in this.#key
      ? spkiOf(this.#key)
      : createPublicKey(this.#key).export({ type: 'spki', format: 'der' });
  }

  /** Signs the SHA-256 digest of `data` without blocking the event loop: PKCS#1 v1.5 for RSA, ECDSA as DER for EC. */
  sign(data: Buffer): Promise<Buffer> {
    return signOnThread('sha256', data, { key: this.#der, format: 'der', type: 'pkcs8' });
  }

  /** Whether the certificate is for this key. */
  matches(certificate: Certificate): boolean {
    return 'modulus' in this.#key
      ? isPublicPart(certificate.rawPublicKey, this.#key)
      : certificate.x509.checkPrivateKey(this.#key);
  }
}

/**
 * Reads the only RSA or EC key of a PEM text: PKCS#8, PKCS#1 or SEC 1, not encrypted. Skips the EC PARAMETERS that OpenSSL
 * writes before a SEC 1 key. Throws `X509Error`, never with a cause, which might reveal the key.
 */
export function readPrivateKey(pem: string): PrivateKey {
  const blocks = readPem(pem, PEM_LIMITS.privateKey).filter(({ label }) => label !== 'EC PARAMETERS');
  const [block, ...others] = blocks;
  if (!block || others.length > 0) throw invalid('the PEM text must contain exactly one private key');
  const { label, der } = block;
  if (label === 'PRIVATE KEY') return readPkcs8(der);
  if (label === 'RSA PRIVATE KEY') return rsaKey(der);
  if (label === 'EC PRIVATE KEY') return ecKey(der, 'sec1');
  throw invalid('the PEM text contains something other than an unencrypted private key');
}

/** Reads an unencrypted RSA or EC key in PKCS#8 DER. Throws `X509Error` like `readPrivateKey`. */
export function readPkcs8(der: Buffer): PrivateKey {
  const pkcs1 = pkcs1Of(der);
  return pkcs1 ? rsaKey(pkcs1) : ecKey(der, 'pkcs8');
}

/** The key as PKCS#8 PEM; see `readPrivateKey`. Throws `X509Error`. */
export function toPkcs8(keyPem: string): string {
  return readPrivateKey(keyPem).toPkcs8();
}

/** Whether the certificate is for this key. False if the text is not a valid key. */
export function keyPairMatches(certificate: Certificate, keyPem: string): boolean {
  try {
    return readPrivateKey(keyPem).matches(certificate);
  } catch (error) {
    if (error instanceof X509Error) return false;
    throw error;
  }
}

function rsaKey(pkcs1: Buffer): PrivateKey {
  const key = readRsaKey(pkcs1);
  if (!key) throw invalid('the numbers of the RSA key do not form one key');
  return new PrivateKey(pkcs8Of(pkcs1), key);
}

function ecKey(der: Buffer, type: 'pkcs8' | 'sec1'): PrivateKey {
  if (!isNamedEcKey(der, type))
    throw invalid('the private key is neither an RSA key nor an EC key on a named curve');
  const key = openEcKey(der, type);
  return new PrivateKey(type === 'pkcs8' ? der : key.export({ type: 'pkcs8', format: 'der' }), key);
}

function openEcKey(der: Buffer, type: 'pkcs8' | 'sec1'): KeyObject {
  try {
    return createPrivateKey({ key: der, format: 'der', type });
  } catch {
    throw invalid('OpenSSL cannot read the private key');
  }
}

function invalid(message: string): X509Error {
  return new X509Error('InvalidPrivateKey', message);
}

/** Bit length of an unsigned number, given as the content of a DER INTEGER. */
function bitLength(integer: Buffer): number {
  const first = integer.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (integer.length - first) * 8 - Math.clz32(integer[first] ?? 0) + 24;
}
