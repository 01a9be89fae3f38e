/** Reads a PKCS#10 request (RFC 2986) as far as the service looks into it: its public key and its signature. */
import { type KeyObject, createPublicKey, verify } from 'node:crypto';

export interface SigningRequest {
  publicKey: KeyObject;
  /** DER SubjectPublicKeyInfo. */
  spki: Buffer;
  /** Whether it is signed with its own key; only the signer looks. */
  isSigned: boolean;
}

/** Hashes by the last arcs of the signature algorithm: sha1, 224, 256, 384, 512WithRSAEncryption. */
const HASHES: Record<number, string> = { 5: 'sha1', 11: 'sha256', 12: 'sha384', 13: 'sha512', 14: 'sha224' };

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

function parse(der: Buffer): SigningRequest {
  const [info, algorithm, signature] = children(element(der, 0));
  if (!info || !algorithm || !signature) throw new RangeError('This is no request');
  const [, , key] = children(info);
  if (!key) throw new RangeError('There is no key');
  const publicKey = createPublicKey({ key: key.whole, format: 'der', type: 'spki' });
  const hash = HASHES[children(algorithm)[0]?.content.at(-1) ?? 0];
  const isSigned =
    publicKey.asymmetricKeyType === 'rsa' &&
    hash !== undefined &&
    verify(hash, info.whole, publicKey, signature.content.subarray(1));
  return { publicKey, spki: key.whole, isSigned };
}

interface Element {
  whole: Buffer;
  content: Buffer;
}

function element(bytes: Buffer, at: number): Element {
  const first = bytes.readUInt8(at + 1);
  const long = first < 0x80 ? 0 : first & 0x7f;
  const length = long === 0 ? first : bytes.readUIntBE(at + 2, long);
  const from = at + 2 + long;
  if (from + length > bytes.length) throw new RangeError('The DER is cut');
  return { whole: bytes.subarray(at, from + length), content: bytes.subarray(from, from + length) };
}

function children({ content }: Element): Element[] {
  const list: Element[] = [];
  for (let at = 0; at < content.length;) {
    const child = element(content, at);
    list.push(child);
    at += child.whole.length;
  }
  return list;
}
