/** Reads a Secret with the platform's X.509 and no code of the operator. */
import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';

export interface SecretCertificate {
  /** The certificate id, which the dev server uses as the serial number. */
  id: number;
  /** SHA-256 of its public key's SPKI, in hexadecimal. */
  keyFingerprint: string;
}

export interface Expectation {
  /** The root of the authority, PEM. */
  root: string;
  /** When it was written, by the clock of the run, in milliseconds. */
  now: number;
}

const SKEW_MS = 6 * 60_000;

/** Reads the data of a Secret. Throws an Error with the first defect. */
export function readSecret(
  data: Readonly<Record<string, string>>,
  { root, now }: Expectation,
): SecretCertificate {
  const [leafPem, ...others] = blocks(text(data, 'tls.crt'));
  if (leafPem === undefined) throw new Error('tls.crt has no certificate');
  const leaf = new X509Certificate(leafPem);
  const authority = new X509Certificate(root);
  if (!createPrivateKeyOf(data).equals(leaf)) throw new Error('tls.key does not fit tls.crt');
  if (others.some((other) => new X509Certificate(other).raw.equals(authority.raw)))
    throw new Error('tls.crt has the root as its leaf');
  if (!leaf.checkIssued(authority) || !leaf.verify(authority.publicKey))
    throw new Error('tls.crt is not signed by the authority');
  const [ca] = blocks(text(data, 'ca.crt'));
  if (ca === undefined || !new X509Certificate(ca).raw.equals(authority.raw))
    throw new Error('ca.crt is not the authority');
  if (leaf.validToDate.getTime() <= now) throw new Error('tls.crt has expired');
  if (leaf.validFromDate.getTime() > now + SKEW_MS) throw new Error('tls.crt is not valid yet');
  const spki = leaf.publicKey.export({ type: 'spki', format: 'der' });
  const keyFingerprint = createHash('sha256').update(spki).digest('hex');
  return { id: Number.parseInt(leaf.serialNumber, 16), keyFingerprint };
}

/** The DNS names of the certificate in a Secret, in the certificate's order. Throws an Error if it has none that can be read. */
export function namesIn(data: Readonly<Record<string, string>>): string[] {
  const [leafPem] = blocks(text(data, 'tls.crt'));
  if (leafPem === undefined) throw new Error('tls.crt has no certificate');
  const { subjectAltName = '' } = new X509Certificate(leafPem);
  return subjectAltName.split(', ').map((name) => name.replace(/^DNS:/, ''));
}

function createPrivateKeyOf(data: Readonly<Record<string, string>>): {
  equals(leaf: X509Certificate): boolean;
} {
  const key = createPrivateKey(text(data, 'tls.key'));
  return { equals: (leaf) => leaf.checkPrivateKey(key) };
}

function text(data: Readonly<Record<string, string>>, key: string): string {
  return Buffer.from(data[key] ?? '', 'base64').toString('utf8');
}

function blocks(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}
