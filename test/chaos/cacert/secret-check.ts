/** Reads the Secrets of CAcert's certificates. */
import { type X509Certificate, createPrivateKey, createPublicKey } from 'node:crypto';
import {
  alternativeNames,
  type Data,
  type Expectation,
  fingerprint,
  servedIn,
  text,
} from '../secret-files.ts';

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

/** Reads the data of a Secret. Throws an Error with the first defect. */
export function readMailSecret(data: Data, expected: Expectation): MailCertificate {
  const leaf = servedIn(data, expected, (issued, others, authority) => {
    if (!isChain([issued, ...others], authority)) throw new Error('tls.crt is not signed by the authority');
  });
  if (!leaf.keyUsage?.includes(CLIENT_AUTH)) throw new Error('tls.crt is not for TLS clients');
  const [, commonName = ''] = /(?:^|\n)CN=([^\n]*)/.exec(leaf.subject) ?? [];
  return {
    serial: leaf.serialNumber.toLowerCase(),
    commonName,
    emails: alternativeNames(leaf, 'email'),
    keyFingerprint: fingerprint(leaf.publicKey),
  };
}

/** SHA-256 of the public key that belongs to the key in a Secret, in hexadecimal; undefined without a key. */
export function keyIn(data: Data): string | undefined {
  try {
    const key = createPublicKey(createPrivateKey(text(data, 'tls.key')));
    return fingerprint(key);
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
