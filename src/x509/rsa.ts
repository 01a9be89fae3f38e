import { DerCursor, TAG, bitStringBytes, constructed, encode } from './der.ts';

/** 1.2.840.113549.1.1.1, rsaEncryption */
export const RSA_ENCRYPTION = Buffer.from([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]);
/** AlgorithmIdentifier of RSA keys: the parameters are NULL (RFC 8017 appendix C). */
const RSA_ALGORITHM = encode(TAG.sequence, encode(TAG.oid, RSA_ENCRYPTION), encode(TAG.null));
const VERSION = encode(TAG.integer, Buffer.from([0]));

/** The parts of an RSA private key that are compared with a certificate. */
export interface RsaPrivateKey {
  modulus: Buffer;
  publicExponent: Buffer;
}

/**
 * The PKCS#1 key in a PKCS#8 key (RFC 5208), without attributes; undefined if the key is not RSA. Throws `X509Error`.
 */
export function pkcs1Of(pkcs8: Buffer): Buffer | undefined {
  const outer = new DerCursor(pkcs8);
  const info = outer.enter(TAG.sequence);
  outer.finish();
  const version = info.any().whole;
  const algorithm = info.any().whole;
  if (!version.equals(VERSION) || !algorithm.equals(RSA_ALGORITHM)) return undefined;
  const { content } = info.next(TAG.octetString);
  info.optional(constructed(0));
  info.finish();
  return content;
}

/** Wraps a PKCS#1 key in PKCS#8. */
export function pkcs8Of(pkcs1: Buffer): Buffer {
  return encode(TAG.sequence, VERSION, RSA_ALGORITHM, encode(TAG.octetString, pkcs1));
}

/**
 * Reads a PKCS#1 key (RFC 8017 appendix A.1.2) and checks that its numbers form one key. That includes the numbers for the
 * Chinese remainder theorem, which signing uses. OpenSSL compares modulus and exponent only, and loading the key costs
 * three times as much. Undefined if the numbers do not match or the structure differs. Throws `X509Error`.
 */
export function readRsaKey(pkcs1: Buffer): RsaPrivateKey | undefined {
  const outer = new DerCursor(pkcs1);
  const fields = outer.enter(TAG.sequence);
  outer.finish();
  const version = fields.next(TAG.integer).content;
  const numbers = Array.from({ length: 8 }, () => fields.next(TAG.integer).content);
  const tooLong = numbers.some((number) => number.length > MOST_BYTES);
  if (!fields.done || version.length !== 1 || version[0] !== 0 || tooLong) return undefined;
  const [modulus, publicExponent] = numbers;
  if (!modulus || !publicExponent || !numbers.every(isPositive)) return undefined;
  if (!belongTogether(numbers.map(toBigInt))) return undefined;
  return { modulus, publicExponent };
}

/** The public part as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
export function spkiOf({ modulus, publicExponent }: RsaPrivateKey): Buffer {
  const numbers = encode(TAG.sequence, encode(TAG.integer, modulus), encode(TAG.integer, publicExponent));
  return encode(TAG.sequence, RSA_ALGORITHM, encode(TAG.bitString, Buffer.from([0]), numbers));
}

/** Whether a SubjectPublicKeyInfo is the public part of this key. Throws `X509Error`. */
export function isPublicPart(spki: Buffer, key: RsaPrivateKey): boolean {
  const info = new DerCursor(spki).enter(TAG.sequence);
  if (!info.enter(TAG.sequence).next(TAG.oid).content.equals(RSA_ENCRYPTION)) return false;
  const numbers = new DerCursor(bitStringBytes(info.next(TAG.bitString).content)).enter(TAG.sequence);
  return (
    numbers.next(TAG.integer).content.equals(key.modulus) &&
    numbers.next(TAG.integer).content.equals(key.publicExponent)
  );
}

/** A modulus of 16384 bits with its sign byte. OpenSSL uses none larger, and the time for the check grows quadratically. */
const MOST_BYTES = 2049;

function belongTogether(numbers: readonly bigint[]): boolean {
  const [n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dp = 0n, dq = 0n, qInverse = 0n] = numbers;
  return (
    p > 1n &&
    q > 1n &&
    p * q === n &&
    d < n &&
    (e * d) % (p - 1n) === 1n &&
    (e * d) % (q - 1n) === 1n &&
    d % (p - 1n) === dp &&
    d % (q - 1n) === dq &&
    (qInverse * q) % p === 1n
  );
}

/**
 * Whether the content of an INTEGER is that of a positive number in as few bytes as possible (X.690 section 8.3). OpenSSL
 * reads others too; Go, and with it many servers, refuses the whole key.
 */
function isPositive([first, second]: Buffer): boolean {
  if (first === undefined || first >= 0x80) return false;
  return first > 0 || (second !== undefined && second >= 0x80);
}

function toBigInt(content: Buffer): bigint {
  return BigInt(`0x${content.toString('hex')}`);
}
