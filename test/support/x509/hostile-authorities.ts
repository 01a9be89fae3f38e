import { randomBytes } from 'node:crypto';
import { TAG, constructed, encode } from '../../../src/x509/der.ts';
import { writePem } from '../../../src/x509/pem.ts';

/** Keys and certificates as only a hostile authority makes them: well-formed, with random numbers and signatures. */

const oid = (hex: string): Buffer => encode(TAG.oid, Buffer.from(hex, 'hex'));
const RSA_ENCRYPTION = oid('2a864886f70d010101');
const SHA256_WITH_RSA = encode(TAG.sequence, oid('2a864886f70d01010b'), encode(TAG.null));
const BASIC_CONSTRAINTS = oid('551d13');
const COMMON_NAME = oid('550403');

/** A SubjectPublicKeyInfo with an RSA key of random odd numbers of exactly these bits. */
export function rsaSpki(bits: { modulus: number; exponent: number }): Buffer {
  const algorithm = encode(TAG.sequence, RSA_ENCRYPTION, encode(TAG.null));
  const key = encode(TAG.sequence, integer(oddNumber(bits.modulus)), integer(oddNumber(bits.exponent)));
  return encode(TAG.sequence, algorithm, encode(TAG.bitString, Buffer.from([0]), key));
}

/** An RSA key of 3072 bits whose exponent is as long: OpenSSL takes tens of milliseconds for one verification. */
export function slowSpki(): Buffer {
  return rsaSpki({ modulus: 3072, exponent: 3071 });
}

/** An authority's certificate, valid from 2025 to 2034, with a random signature that fits RSA keys of 2048 bits and more. */
export function hostileAuthority({
  subject,
  issuer = subject,
  spki,
}: {
  subject: string;
  issuer?: string;
  spki: Buffer;
}): string {
  const isCa = encode(TAG.sequence, encode(TAG.boolean, Buffer.from([0xff])));
  const extension = encode(TAG.sequence, BASIC_CONSTRAINTS, encode(TAG.octetString, isCa));
  const tbs = encode(
    TAG.sequence,
    encode(constructed(0), encode(TAG.integer, Buffer.from([2]))),
    integer(oddNumber(63)),
    SHA256_WITH_RSA,
    name(issuer),
    encode(TAG.sequence, time('250101000000Z'), time('350101000000Z')),
    name(subject),
    spki,
    encode(constructed(3), encode(TAG.sequence, extension)),
  );
  const signature = encode(TAG.bitString, Buffer.from([0]), oddNumber(2047));
  return writePem('CERTIFICATE', encode(TAG.sequence, tbs, SHA256_WITH_RSA, signature));
}

function name(commonName: string): Buffer {
  const attribute = encode(TAG.sequence, COMMON_NAME, encode(TAG.utf8String, Buffer.from(commonName)));
  return encode(TAG.sequence, encode(TAG.set, attribute));
}

function time(utc: string): Buffer {
  return encode(TAG.utcTime, Buffer.from(utc));
}

function integer(bytes: Buffer): Buffer {
  const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0;
  return encode(TAG.integer, ...(isNegative ? [Buffer.from([0])] : []), bytes);
}

/** A random odd number of exactly this many bits, big-endian. */
function oddNumber(bits: number): Buffer {
  const bytes = randomBytes(Math.ceil(bits / 8));
  const highest = (bits - 1) % 8;
  bytes[0] = ((bytes[0] ?? 0) & (2 ** highest - 1)) | (2 ** highest);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 1;
  return bytes;
}
