import type { Secret } from '../kube/objects.ts';
import { type Certificate, readBundle } from '../x509/certificate.ts';
import { verifyChain } from '../x509/chain.ts';
import { keyPairMatches } from '../x509/private-key.ts';
import { claimedCertificateId } from './outputs.ts';

/** The certificate that a Secret holds, if it is whole: a readable chain to its own `ca.crt`, with the right key. */
export interface HeldCertificate {
  leaf: Certificate;
  /** What the annotation says; not to be believed alone. */
  claimedId: number | undefined;
}

/** Reads what a Secret holds. Undefined for anything that could not be served. */
export function heldCertificate(secret: Secret): HeldCertificate | undefined {
  try {
    const [leaf, ...intermediates] = readBundle(file(secret, 'tls.crt'));
    const [root] = readBundle(file(secret, 'ca.crt'));
    if (!leaf || !root) return undefined;
    if (!verifyChain(leaf, intermediates, root).ok || !keyPairMatches(leaf, file(secret, 'tls.key')))
      return undefined;
    return { leaf, claimedId: claimedCertificateId(secret) };
  } catch {
    // Whatever is wrong with it, the answer is the same: it has to be written anew.
    return undefined;
  }
}

function file(secret: Secret, name: string): string {
  return Buffer.from(secret.data?.[name] ?? '', 'base64').toString('latin1');
}
