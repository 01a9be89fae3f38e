/** Reads the Secrets of TinyCert's certificates. */
import {
  alternativeNames,
  type Data,
  type Expectation,
  fingerprint,
  leafIn,
  servedIn,
} from '../secret-files.ts';

export interface SecretCertificate {
  /** The certificate id, which the dev server uses as the serial number. */
  id: number;
  /** SHA-256 of its public key's SPKI, in hexadecimal. */
  keyFingerprint: string;
}

/** Reads the data of a Secret. Throws an Error with the first defect. */
export function readSecret(data: Data, expected: Expectation): SecretCertificate {
  const leaf = servedIn(data, expected, (issued, others, authority) => {
    if (others.some(({ raw }) => raw.equals(authority.raw)))
      throw new Error('tls.crt has the root as its leaf');
    if (!issued.checkIssued(authority) || !issued.verify(authority.publicKey))
      throw new Error('tls.crt is not signed by the authority');
  });
  return { id: Number.parseInt(leaf.serialNumber, 16), keyFingerprint: fingerprint(leaf.publicKey) };
}

/** The DNS names of the certificate in a Secret, in the certificate's order. Throws an Error if it has none that can be read. */
export function namesIn(data: Data): string[] {
  return alternativeNames(leafIn(data), 'DNS');
}
