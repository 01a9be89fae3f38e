import { AppError } from '../../lib/errors.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Secret } from '../../kube/objects.ts';
import type { CertificateKind, CertificateResource, SecretMetadata } from '../certificate-kind.ts';
import { lackingMetadata } from './metadata.ts';
import { hasWantedOwners } from './owner-references.ts';

/** The reason that reports a Secret which something at the API server changes as it is written. */
export const SECRET_ALTERED = 'SecretAltered';

/** The type of Secret that ingress controllers serve. */
export const TLS_SECRET = 'kubernetes.io/tls';

const CURE =
  'If an admission policy or a webhook does that, exempt the Secrets of the operator from it. The operator tries again by itself.';

/** The API server stored other files than were written: the Secret does not hold the certificate. */
export class SecretAltered extends AppError {
  constructor(secretName: string, parts: readonly string[]) {
    super(
      SECRET_ALTERED,
      `The Secret ${secretName} is not stored as the operator writes it: ${parts.join(', ')}. ${CURE}`,
    );
  }
}

/** A Secret after a write, as the API server answered it. */
export interface Stored {
  metadata: Secret['metadata'];
  /** What something changed as it was written. The certificate is served all the same. */
  altered?: Reason;
}

/** Throws a `SecretAltered` if the answer to a write has other files. `data`: what was written; null for no such file. */
export function assertFilesKept(answer: Secret, data: Record<string, string | null>): void {
  const files = Object.keys(data).filter((file) => (answer.data?.[file] ?? null) !== data[file]);
  if (files.length > 0) throw new SecretAltered(answer.metadata.name, files);
}

/**
 * The answer to a write of a Secret, with what it lacks of the labels, annotations, owner references and type that the
 * operator gives it. Without the label no watch shows the Secret.
 */
export function storedAs<T extends CertificateResource>(
  { type }: Pick<CertificateKind<T>, 'type'>,
  certificate: T,
  { metadata, type: secretType }: Pick<Secret, 'metadata' | 'type'>,
  wanted: SecretMetadata,
): Stored {
  const parts = [
    ...lackingMetadata({ metadata }, wanted),
    ...(hasWantedOwners(type, certificate, metadata) ? [] : ['its owner references']),
    ...(secretType === undefined || secretType === TLS_SECRET ? [] : [`type ${secretType}`]),
  ];
  if (parts.length === 0) return { metadata };
  const { code: reason, message } = new SecretAltered(certificate.spec.secretName, parts);
  return { metadata, altered: { reason, message } };
}
