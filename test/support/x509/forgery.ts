import { type KeyObject, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { TAG, constructed, encode } from '../../../src/x509/der.ts';
import { writePem } from '../../../src/x509/pem.ts';

/** Names, serial number and times of a certificate that somebody makes up. Only the signature has to be their own. */
export interface Forgery {
  /** DER of the Name. */
  subject: Buffer;
  issuer: Buffer;
  /** SubjectPublicKeyInfo, DER. */
  publicKey: Buffer;
  signer: KeyObject;
  isCa?: boolean;
  /** Default: a random one. */
  serialNumber?: Buffer;
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
}

const oid = (hex: string): Buffer => encode(TAG.oid, Buffer.from(hex, 'hex'));
/** sha256WithRSAEncryption */
const ALGORITHM = encode(TAG.sequence, oid('2a864886f70d01010b'), encode(TAG.null));
/** basicConstraints: CA */
const CA = encode(
  constructed(3),
  encode(
    TAG.sequence,
    encode(
      TAG.sequence,
      oid('551d13'),
      encode(TAG.octetString, encode(TAG.sequence, encode(TAG.boolean, Buffer.from([255])))),
    ),
  ),
);

/** A certificate with any content, PEM. */
export function forge(forgery: Forgery): string {
  const { subject, issuer, publicKey, signer, isCa, notBefore, notAfter } = forgery;
  const serial = forgery.serialNumber ?? Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const toBeSigned = encode(
    TAG.sequence,
    encode(constructed(0), encode(TAG.integer, Buffer.from([2]))),
    encode(TAG.integer, (serial[0] ?? 0) < 0x80 ? serial : Buffer.concat([Buffer.from([0]), serial])),
    ALGORITHM,
    issuer,
    encode(TAG.sequence, utcTime(notBefore), utcTime(notAfter)),
    subject,
    publicKey,
    ...(isCa ? [CA] : []),
  );
  const signature = encode(TAG.bitString, Buffer.from([0]), sign('sha256', toBeSigned, signer));
  return writePem('CERTIFICATE', encode(TAG.sequence, toBeSigned, ALGORITHM, signature));
}

/** A Name that is one common name, DER. */
export function nameOf(commonName: string): Buffer {
  const text = encode(TAG.utf8String, Buffer.from(commonName));
  return encode(TAG.sequence, encode(TAG.set, encode(TAG.sequence, oid('550403'), text)));
}

/** A key pair for forgeries. */
export function forgersKey(): { signer: KeyObject; publicKey: Buffer; pem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    signer: privateKey,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function utcTime(ms: number): Buffer {
  const text = new Date(ms)
    .toISOString()
    .replaceAll(/[-:T]|\.\d+/g, '')
    .slice(2);
  return encode(TAG.utcTime, Buffer.from(text));
}
