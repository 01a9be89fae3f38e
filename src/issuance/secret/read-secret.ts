import type { Secret } from '../../kube/objects.ts';
import { type Certificate, readBundle } from '../../x509/certificate.ts';
import { verifyChain } from '../../x509/chain.ts';
import { type PrivateKey, readPrivateKey } from '../../x509/private-key.ts';
import { claimedCertificateId } from './metadata.ts';

/** The certificate that a Secret holds, if it is whole: a readable chain to its own `ca.crt`, with the right key. */
export interface SecretContent {
  leaf: Certificate;
  intermediates: readonly Certificate[];
  /** What `ca.crt` says the authority is; anybody can write any. */
  root: Certificate;
  /** What the annotation says; not to be believed alone. */
  claimedId: number | undefined;
  /** The private key, which fits the leaf. */
  key: PrivateKey;
  /** Whether its files are written as the operator writes them: what any server reads, and nothing beside it. */
  isPlain: boolean;
}

/** Reads what a Secret holds. Undefined for anything that could not be served. */
export function readSecret(secret: Secret): SecretContent | undefined {
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
    return { leaf, intermediates, root, key, claimedId: claimedCertificateId(secret), isPlain };
  } catch {
    // Whatever is wrong with it, the answer is the same: it has to be written anew.
    return undefined;
  }
}

function file(secret: Secret, name: string): string {
  return Buffer.from(secret.data?.[name] ?? '', 'base64').toString('latin1');
}
