import { DerCursor, TAG, constructed } from './der.ts';

/** 1.2.840.10045.2.1, id-ecPublicKey (RFC 5480 section 2.1.1) */
export const EC_PUBLIC_KEY = Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]);

/**
 * Whether a private key is an EC key on a named curve (RFC 5480 section 2.1.1 allows no other). OpenSSL computes the public
 * key while it loads a private one. For a DSA key, or an EC key with parameters of its own, the key itself determines how
 * long that takes: 13 KB are enough for half a minute. Throws `X509Error`.
 */
export function isNamedEcKey(der: Buffer, type: 'pkcs8' | 'sec1'): boolean {
  return type === 'sec1' ? isEcPrivateKey(der, true) : isPkcs8(der);
}

/** PrivateKeyInfo (RFC 5958 section 2). */
function isPkcs8(der: Buffer): boolean {
  const outer = new DerCursor(der);
  const info = outer.enter(TAG.sequence);
  outer.finish();
  info.next(TAG.integer);
  const algorithm = info.enter(TAG.sequence);
  if (!algorithm.next(TAG.oid).content.equals(EC_PUBLIC_KEY)) return false;
  if (!algorithm.optional(TAG.oid) || !algorithm.done) return false;
  return isEcPrivateKey(info.next(TAG.octetString).content, false);
}

/** ECPrivateKey (RFC 5915 section 3). In PKCS#8 the curve may be left out here. */
function isEcPrivateKey(der: Buffer, needsCurve: boolean): boolean {
  const outer = new DerCursor(der);
  const key = outer.enter(TAG.sequence);
  outer.finish();
  const version = key.next(TAG.integer).content;
  if (version.length !== 1 || version[0] !== 1) return false;
  key.next(TAG.octetString);
  const parameters = key.optional(constructed(0));
  if (!parameters) return !needsCurve;
  const curve = new DerCursor(parameters.content);
  return curve.optional(TAG.oid) !== undefined && curve.done;
}
