import type { CertificateRef } from '../../api/tinycert/identity.ts';
import type { Secret } from '../../kube/objects.ts';
import { readBundle } from '../../x509/certificate.ts';
import { verifyChain } from '../../x509/chain.ts';
import { readPrivateKey } from '../../x509/private-key.ts';
import type { CertificateKind } from '../certificate-kind.ts';
import type { SecretSource } from './outputs.ts';

/**
 * The certificate in a Secret, if it is usable: a readable chain to its own `ca.crt`, with the matching key. Anyone can
 * write any `ca.crt`.
 */
export interface SecretContent extends SecretSource {
  /** The certificate that the Secret's annotations name (`CertificateKind.claimedBy`); do not trust it alone. */
  claimed: CertificateRef | undefined;
}

/** Reads the content of a Secret. Undefined if no server could use it. */
export function readSecret(
  { claimedBy }: Pick<CertificateKind<never>, 'claimedBy'>,
  secret: Secret,
): SecretContent | undefined {
  try {
    const files = { crt: file(secret, 'tls.crt'), key: file(secret, 'tls.key'), ca: file(secret, 'ca.crt') };
    const [leaf, ...others] = readBundle(files.crt);
    const [root] = readBundle(files.ca);
    const key = readPrivateKey(files.key);
    if (!leaf || !root || !key.matches(leaf)) return undefined;
    const chain = verifyChain(leaf, others, root);
    if (!chain.ok) return undefined;
    return { leaf, intermediates: chain.path, root, key, claimed: claimedBy(secret) };
  } catch {
    // The cause does not matter: the Secret has to be rewritten.
    return undefined;
  }
}

function file(secret: Secret, name: string): string {
  return Buffer.from(secret.data?.[name] ?? '', 'base64').toString('latin1');
}
