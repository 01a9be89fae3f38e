/** Reads Secrets of CAcert certificates with the platform's X.509 and no code of the operator. */
import { X509Certificate, createHash, createPrivateKey, createPublicKey } from 'node:crypto';

type Data = Readonly<Record<string, string>>;

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** The client certificate in a Secret. */
export interface MailCertificate {
  /** In hexadecimal, lower case. */
  serial: string;
  commonName: string;
  /** E-mail addresses in the certificate's order. */
  emails: readonly string[];
  /** SHA-256 of its public key's SPKI, in hexadecimal. */
  keyFingerprint: string;
}

/** Reads the data of a Secret. Throws an Error with the first defect. `now`: time of day in the run, in milliseconds. */
export function readMailSecret(data: Data, { root, now }: { root: string; now: number }): MailCertificate {
  const [leafPem, ...others] = blocks(text(data, 'tls.crt'));
  if (leafPem === undefined) throw new Error('tls.crt has no certificate');
  const leaf = new X509Certificate(leafPem);
  const authority = new X509Certificate(root);
  if (!leaf.checkPrivateKey(createPrivateKey(text(data, 'tls.key'))))
    throw new Error('tls.key does not fit tls.crt');
  if (!isChain([leaf, ...others.map((other) => new X509Certificate(other))], authority))
    throw new Error('tls.crt is not signed by the authority');
  const [ca] = blocks(text(data, 'ca.crt'));
  if (ca === undefined || !new X509Certificate(ca).raw.equals(authority.raw))
    throw new Error('ca.crt is not the authority');
  if (leaf.validToDate.getTime() <= now) throw new Error('tls.crt has expired');
  if (leaf.validFromDate.getTime() > now + SKEW_MS) throw new Error('tls.crt is not valid yet');
  if (!leaf.keyUsage?.includes(CLIENT_AUTH)) throw new Error('tls.crt is not for TLS clients');
  const emails = (leaf.subjectAltName ?? '').split(', ').map((name) => name.replace(/^email:/, ''));
  const [, commonName = ''] = /(?:^|\n)CN=([^\n]*)/.exec(leaf.subject) ?? [];
  const keyFingerprint = fingerprint(leaf.publicKey.export({ type: 'spki', format: 'der' }));
  return { serial: leaf.serialNumber.toLowerCase(), commonName, emails, keyFingerprint };
}

const SKEW_MS = 6 * 60_000;

/** SHA-256 of the public key that belongs to the key in a Secret, in hexadecimal; undefined without a key. */
export function keyIn(data: Data): string | undefined {
  try {
    const key = createPublicKey(createPrivateKey(text(data, 'tls.key')));
    return fingerprint(key.export({ type: 'spki', format: 'der' }));
  } catch {
    return undefined;
  }
}

/** Whether each certificate is signed by the next one, and the last one by the authority. */
function isChain(chain: readonly X509Certificate[], authority: X509Certificate): boolean {
  return chain.every((one, i) => {
    const issuer = chain[i + 1] ?? authority;
    return one.checkIssued(issuer) && one.verify(issuer.publicKey);
  });
}

function fingerprint(spki: Buffer): string {
  return createHash('sha256').update(spki).digest('hex');
}

function text(data: Data, key: string): string {
  return Buffer.from(data[key] ?? '', 'base64').toString('utf8');
}

function blocks(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}
