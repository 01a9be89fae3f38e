import { type KeyObject, createPublicKey, verify } from 'node:crypto';
import { DerCursor, TAG, bitStringBytes, constructed, encode } from './der.ts';
import { X509Error } from './errors.ts';
import { PEM_LIMITS, readPem, writePem } from './pem.ts';
import type { PrivateKey } from './private-key.ts';

/** The content of a signing request. */
export interface SigningRequestInput {
  /** An RSA key. */
  key: PrivateKey;
  /** 1 to 64 characters (RFC 5280 appendix A.1, ub-common-name). */
  commonName: string;
  /** ASCII, at most 255 characters each (ub-emailaddress-length). They go into the subject, in this order. */
  emailAddresses?: readonly string[];
}

const LABEL = 'CERTIFICATE REQUEST';
/** 2.5.4.3 */
const COMMON_NAME = encode(TAG.oid, Buffer.from([0x55, 0x04, 0x03]));
/** 1.2.840.113549.1.9.1 */
const EMAIL_ADDRESS = encode(TAG.oid, Buffer.from([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01]));
/** 1.2.840.113549.1.1.11 with NULL, sha256WithRSAEncryption (RFC 8017 appendix A.2.4) */
const SHA256_WITH_RSA = encode(
  TAG.sequence,
  encode(TAG.oid, Buffer.from([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b])),
  encode(TAG.null),
);
const VERSION = encode(TAG.integer, Buffer.from([0]));

/**
 * Creates a PKCS#10 request (RFC 2986) in PEM, signed with sha256WithRSAEncryption without blocking the event loop.
 * Rejects with `X509Error`: `InvalidName` for a name that no certificate can have, `InvalidPrivateKey` for a key that is
 * not RSA.
 */
export async function createSigningRequest(input: SigningRequestInput): Promise<string> {
  const { key, commonName, emailAddresses = [] } = input;
  if (key.type !== 'rsa') throw new X509Error('InvalidPrivateKey', 'a signing request needs an RSA key');
  if (!isCommonName(commonName)) throw invalidName('a common name must have 1 to 64 printable characters');
  if (!emailAddresses.every(isEmailAddress)) {
    throw invalidName(
      'an e-mail address in a subject must have an @ and at most 255 printable ASCII characters',
    );
  }
  const subject = encode(
    TAG.sequence,
    attribute(COMMON_NAME, TAG.utf8String, commonName),
    ...emailAddresses.map((address) => attribute(EMAIL_ADDRESS, TAG.ia5String, address)),
  );
  // The attributes are not optional: a request without any has an empty set.
  const body = encode(TAG.sequence, VERSION, subject, key.toPublicKey(), encode(constructed(0)));
  const signature = encode(TAG.bitString, Buffer.from([0]), await key.sign(body));
  return writePem(LABEL, encode(TAG.sequence, body, SHA256_WITH_RSA, signature));
}

/**
 * The public key (SubjectPublicKeyInfo, DER) of a PKCS#10 request whose signature proves possession of the private key.
 * Accepts only what `createSigningRequest` writes: one PEM block, RSA, sha256WithRSAEncryption. Throws `X509Error`.
 */
export function verifySigningRequest(pem: string): Buffer {
  const [block, ...others] = readPem(pem, PEM_LIMITS.signingRequest);
  if (block?.label !== LABEL || others.length > 0) {
    throw invalidRequest('the PEM text must contain exactly one signing request');
  }
  const { body, algorithm, signature, publicKey } = readRequest(block.der);
  if (!algorithm.equals(SHA256_WITH_RSA)) {
    throw invalidRequest('the signing request is not signed with sha256WithRSAEncryption');
  }
  if (!verify('sha256', body, openRsaKey(publicKey), signature)) {
    throw invalidRequest('the signing request is not signed with its own key');
  }
  return publicKey;
}

function readRequest(der: Buffer): { body: Buffer; algorithm: Buffer; signature: Buffer; publicKey: Buffer } {
  const outer = new DerCursor(der);
  const request = outer.enter(TAG.sequence);
  outer.finish();
  const body = request.next(TAG.sequence);
  const algorithm = request.next(TAG.sequence).whole;
  const signature = bitStringBytes(request.next(TAG.bitString).content);
  request.finish();

  const info = new DerCursor(body.content);
  if (!info.next(TAG.integer).whole.equals(VERSION)) {
    throw invalidRequest('the version of the signing request is unknown');
  }
  info.next(TAG.sequence);
  const publicKey = info.next(TAG.sequence).whole;
  info.next(constructed(0));
  info.finish();
  return { body: body.whole, algorithm, signature, publicKey };
}

function openRsaKey(spki: Buffer): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new X509Error('InvalidSigningRequest', 'the key of the signing request cannot be read', { cause });
  }
  if (key.asymmetricKeyType !== 'rsa') throw invalidRequest('the key of the signing request is not RSA');
  return key;
}

function attribute(oid: Buffer, tag: number, value: string): Buffer {
  return encode(TAG.set, encode(TAG.sequence, oid, encode(tag, Buffer.from(value, 'utf8'))));
}

function isCommonName(name: string): boolean {
  return name.isWellFormed() && /^\P{Cc}{1,64}$/u.test(name);
}

function isEmailAddress(address: string): boolean {
  return address.length <= 255 && /^[\x21-\x7e]+@[\x21-\x7e]+$/.test(address);
}

function invalidName(message: string): X509Error {
  return new X509Error('InvalidName', message);
}

function invalidRequest(message: string): X509Error {
  return new X509Error('InvalidSigningRequest', message);
}
