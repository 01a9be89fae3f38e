/** Reads the parts of a PKCS#10 request (RFC 2986) that the service uses: the public key and the signature. */
import { type KeyObject, createPublicKey, verify } from 'node:crypto';
import * as der from '../x509/der.ts';

export interface SigningRequest {
  publicKey: KeyObject;
  /** DER SubjectPublicKeyInfo. */
  spki: Buffer;
  /** Whether it is signed with its own key; only the signer checks that. */
  isSigned: boolean;
}

/** Hashes by their signature algorithms: sha1, 224, 256, 384, 512WithRSAEncryption, each with NULL. */
const HASHES = new Map(
  Object.entries({ sha1: 5, sha224: 14, sha256: 11, sha384: 12, sha512: 13 }).map(([hash, arc]) => [
    der.sequence(der.oid(`1.2.840.113549.1.1.${arc}`), der.NULL).toString('hex'),
    hash,
  ]),
);

/** The request in the PEM text; undefined where OpenSSL would find none. */
export function readSigningRequest(text: string): SigningRequest | undefined {
  const body =
    /-----BEGIN (NEW )?CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\s]+)-----END \1?CERTIFICATE REQUEST-----/.exec(
      text,
    )?.[2];
  if (body === undefined) return undefined;
  try {
    return parse(Buffer.from(body, 'base64'));
  } catch {
    return undefined;
  }
}

function parse(bytes: Buffer): SigningRequest {
  const [info, algorithm, signature] = children(element(bytes, 0));
  if (info?.tag !== SEQUENCE || algorithm?.tag !== SEQUENCE || signature?.tag !== BIT_STRING) {
    throw new RangeError('This is no request');
  }
  const [, subject, key] = children(info);
  if (subject?.tag !== SEQUENCE || key?.tag !== SEQUENCE) throw new RangeError('There is no key');
  const publicKey = createPublicKey({ key: key.whole, format: 'der', type: 'spki' });
  const hash = HASHES.get(algorithm.whole.toString('hex'));
  const isSigned =
    publicKey.asymmetricKeyType === 'rsa' &&
    hash !== undefined &&
    signature.content[0] === 0 &&
    verify(hash, info.whole, publicKey, signature.content.subarray(1));
  return { publicKey, spki: key.whole, isSigned };
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;

interface Element {
  tag: number;
  whole: Buffer;
  content: Buffer;
}

function element(bytes: Buffer, at: number): Element {
  const first = bytes.readUInt8(at + 1);
  const long = first < 0x80 ? 0 : first & 0x7f;
  const length = long === 0 ? first : bytes.readUIntBE(at + 2, long);
  const from = at + 2 + long;
  if (from + length > bytes.length) throw new RangeError('The DER is cut');
  return {
    tag: bytes.readUInt8(at),
    whole: bytes.subarray(at, from + length),
    content: bytes.subarray(from, from + length),
  };
}

/** The elements of a SEQUENCE, the only constructed type here. */
function children({ tag, content }: Element): Element[] {
  if (tag !== SEQUENCE) throw new RangeError('This is no SEQUENCE');
  const list: Element[] = [];
  for (let at = 0; at < content.length;) {
    const child = element(content, at);
    list.push(child);
    at += child.whole.length;
  }
  return list;
}
