import { DerCursor, TAG, bitStringBytes } from './der.ts';
import { EC_PUBLIC_KEY } from './ec.ts';
import { X509Error } from './errors.ts';
import { RSA_ENCRYPTION } from './rsa.ts';

/** Which keys `isAcceptedAuthorityKey` accepts, for messages. */
export const ACCEPTED_AUTHORITY_KEYS =
  'RSA of at most 8192 bits with a public exponent of at most 32 bits, or EC on P-256, P-384 or P-521';

/** 1.2.156.10197.1.301, which OpenSSL reads like id-ecPublicKey */
const SM2 = Buffer.from([0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d]);
/** secp256r1, secp384r1 and secp521r1 (RFC 5480 section 2.1.1.1) */
const CURVES: readonly Buffer[] = [
  Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
  Buffer.from([0x2b, 0x81, 0x04, 0x00, 0x22]),
  Buffer.from([0x2b, 0x81, 0x04, 0x00, 0x23]),
];
const MOST_MODULUS_BYTES = 1024;
const MOST_EXPONENT_BYTES = 4;

/**
 * Whether signatures may be verified with this SubjectPublicKeyInfo (DER). The keys of hostile authorities make one
 * verification take a tenth of a second: RSA with a long exponent, DSA with a long modulus. An accepted key takes about
 * two milliseconds at most. False, too, for a key that is not well-formed.
 */
export function isAcceptedAuthorityKey(spki: Buffer): boolean {
  try {
    const { oid, parameters, key } = readSpki(spki);
    if (oid.equals(RSA_ENCRYPTION)) return isShortRsaKey(key.next(TAG.bitString).content);
    if (!oid.equals(EC_PUBLIC_KEY)) return false;
    const curve = parameters.next(TAG.oid).content;
    return CURVES.some((each) => each.equals(curve));
  } catch (error) {
    if (error instanceof X509Error) return false;
    throw error;
  }
}

/**
 * Whether a SubjectPublicKeyInfo (DER) is an EC key that brings the parameters of its own curve. OpenSSL decompresses the
 * point as soon as it reads the certificate, which takes milliseconds or longer on a hostile curve. Throws `X509Error` if
 * the key is not well-formed.
 */
export function hasUnnamedCurve(spki: Buffer): boolean {
  const { oid, parameters } = readSpki(spki);
  const isOnCurve = oid.equals(EC_PUBLIC_KEY) || oid.equals(SM2);
  return isOnCurve && parameters.optional(TAG.oid) === undefined;
}

/** AlgorithmIdentifier and subjectPublicKey (RFC 5280 section 4.1). */
function readSpki(spki: Buffer): { oid: Buffer; parameters: DerCursor; key: DerCursor } {
  const key = new DerCursor(spki).enter(TAG.sequence);
  const parameters = key.enter(TAG.sequence);
  const oid = parameters.next(TAG.oid).content;
  return { oid, parameters, key };
}

/** RSAPublicKey (RFC 8017 appendix A.1.1). */
function isShortRsaKey(bitString: Buffer): boolean {
  const numbers = new DerCursor(bitStringBytes(bitString)).enter(TAG.sequence);
  const modulus = numbers.next(TAG.integer).content;
  const exponent = numbers.next(TAG.integer).content;
  return byteLength(modulus) <= MOST_MODULUS_BYTES && byteLength(exponent) <= MOST_EXPONENT_BYTES;
}

/** Bytes of the content of an INTEGER without leading zeros. */
function byteLength(integer: Buffer): number {
  const first = integer.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : integer.length - first;
}
