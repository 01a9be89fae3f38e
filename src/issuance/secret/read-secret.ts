import type { Secret } from '../../kube/objects.ts';
import { type Certificate, readBundle } from '../../x509/certificate.ts';
import { verifyChain } from '../../x509/chain.ts';
import { type PrivateKey, readPrivateKey } from '../../x509/private-key.ts';
import type { CertificateKind } from '../certificate-kind.ts';

/** The certificate in a Secret, if it is usable: a readable chain to its own `ca.crt`, with the matching key. */
export interface SecretContent {
  leaf: Certificate;
  intermediates: readonly Certificate[];
  /** The authority according to `ca.crt`; anyone can write any. */
  root: Certificate;
  /** The certificate id that the Secret states (`CertificateKind.claimedIdOf`); do not trust it alone. */
  claimedId: number | undefined;
  /** The private key, which matches the leaf. */
  key: PrivateKey;
  /** Whether the files are exactly as the operator writes them: readable by any server, and with nothing added. */
  isPlain: boolean;
}

/** Reads the content of a Secret. Undefined if no server could use it. */
export function readSecret(
  { claimedIdOf }: Pick<CertificateKind<never>, 'claimedIdOf'>,
  secret: Secret,
): SecretContent | undefined {
  try {
    const files = { crt: file(secret, 'tls.crt'), key: file(secret, 'tls.key'), ca: file(secret, 'ca.crt') };
    const [leaf, ...intermediates] = readBundle(files.crt);
    const [root] = readBundle(files.ca);
    const key = readPrivateKey(files.key);
    if (!leaf || !root || !verifyChain(leaf, intermediates, root).ok || !key.matches(leaf)) return undefined;
    const isPlain =
      files.crt === [leaf, ...intermediates].map(({ pem }) => pem).join('') &&
      !intermediates.some(({ raw }) => raw.equals(root.raw)) &&
      files.key === key.toPkcs8() &&
      files.ca === root.pem;
    return { leaf, intermediates, root, key, claimedId: claimedIdOf(secret), isPlain };
  } catch {
    // The cause does not matter: the Secret has to be rewritten.
    return undefined;
  }
}

function file(secret: Secret, name: string): string {
  return Buffer.from(secret.data?.[name] ?? '', 'base64').toString('latin1');
}
