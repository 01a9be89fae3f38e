/** The files of a Secret with a certificate, as both witnesses read them: with the platform's X.509 and no code of the operator. */
import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';

/** The data of a Secret. */
export type Data = Readonly<Record<string, string>>;

export interface Expectation {
  /** The authority's certificate in PEM. */
  root: string;
  /** Time of day in the run, in milliseconds. */
  now: number;
}

const SKEW_MS = 6 * 60_000;

/**
 * The certificate in a Secret. Throws an Error with the first defect. `assertSigned` throws one unless the authority signed it, by way of
 * the `others` of tls.crt if the CA has intermediates.
 */
export function servedIn(
  data: Data,
  { root, now }: Expectation,
  assertSigned: (
    leaf: X509Certificate,
    others: readonly X509Certificate[],
    authority: X509Certificate,
  ) => void,
): X509Certificate {
  const leaf = leafIn(data);
  const [, ...others] = blocks(text(data, 'tls.crt')).map((pem) => new X509Certificate(pem));
  const authority = new X509Certificate(root);
  if (!leaf.checkPrivateKey(createPrivateKey(text(data, 'tls.key'))))
    throw new Error('tls.key does not fit tls.crt');
  assertSigned(leaf, others, authority);
  const [ca] = blocks(text(data, 'ca.crt'));
  if (ca === undefined || !new X509Certificate(ca).raw.equals(authority.raw))
    throw new Error('ca.crt is not the authority');
  if (leaf.validToDate.getTime() <= now) throw new Error('tls.crt has expired');
  if (leaf.validFromDate.getTime() > now + SKEW_MS) throw new Error('tls.crt is not valid yet');
  return leaf;
}

/** The certificate in a Secret. Throws an Error if it has none that can be read. */
export function leafIn(data: Data): X509Certificate {
  const [pem] = blocks(text(data, 'tls.crt'));
  if (pem === undefined) throw new Error('tls.crt has no certificate');
  return new X509Certificate(pem);
}

/** The alternative names of a certificate in its order, without the word before each, such as `DNS:`. */
export function alternativeNames({ subjectAltName = '' }: X509Certificate, kind: 'DNS' | 'email'): string[] {
  return subjectAltName.split(', ').map((name) => name.replace(new RegExp(`^${kind}:`), ''));
}

/** SHA-256 of a public key's SPKI, in hexadecimal. */
export function fingerprint(key: X509Certificate['publicKey']): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** A file of a Secret as text; empty if there is none. */
export function text(data: Data, key: string): string {
  return Buffer.from(data[key] ?? '', 'base64').toString('utf8');
}

function blocks(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}
