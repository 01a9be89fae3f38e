import type { CertificateSpec } from '../api/tinycert/certificate-spec.ts';
import type { CertificateStatus } from '../api/tinycert/certificate-status.ts';
import type { KubeObject, ResourceType, Secret } from '../kube/objects.ts';

/** What the resources of every kind of certificate have in common. */
export interface CertificateResource extends KubeObject {
  spec: Pick<
    CertificateSpec,
    'secretName' | 'renewBefore' | 'renewBeforePercentage' | 'renewal' | 'secretDeletionPolicy' | 'suspend'
  >;
  status?: Pick<
    CertificateStatus,
    | 'conditions'
    | 'serialNumber'
    | 'notBefore'
    | 'notAfter'
    | 'renewalTime'
    | 'revision'
    | 'specHash'
    | 'failedAttempts'
    | 'lastFailureTime'
    | 'nextAttemptTime'
    | 'secretUID'
    | 'secretResourceVersion'
  > & { attempt?: { id: string } };
}

/** Labels and annotations that the operator keeps on a Secret. */
export type SecretMetadata = Required<Pick<Secret['metadata'], 'labels' | 'annotations'>>;

/** What tells one kind of certificate from another where the same is done for both. */
export interface CertificateKind<T extends CertificateResource> {
  readonly type: ResourceType<T>;
  /** The annotation that names, on a Secret, the resource it was made for. */
  readonly nameAnnotation: string;
  /** What its Secret is to carry, going by spec and status. */
  readonly metadataOf: (certificate: T) => SecretMetadata;
  /** Fields of status that every write says again (`StatusWriter`). */
  readonly restated: readonly string[];
  /** Fields of an attempt that one can lack. */
  readonly attemptFields: readonly string[];
  /** Whether an attempt of the resource has no result yet. */
  readonly isOpen: (certificate: T) => boolean;
}

/** Which Secret a certificate is written to. */
export function secretRef({ metadata, spec }: Pick<CertificateResource, 'metadata' | 'spec'>): {
  namespace: string;
  name: string;
} {
  return { namespace: metadata.namespace ?? '', name: spec.secretName };
}

/** The earliest of several moments, of which some may never come. */
export function earliest(...times: (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** When the certificate in status ends, in milliseconds since the epoch. */
export function expiryOf({ status }: Pick<CertificateResource, 'status'>): number | undefined {
  return status?.notAfter === undefined ? undefined : Date.parse(status.notAfter);
}
