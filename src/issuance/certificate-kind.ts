import type { CertificateSpec } from '../api/tinycert/certificate-spec.ts';
import type { CertificateStatus } from '../api/tinycert/certificate-status.ts';
import type { CertificateRef } from '../api/tinycert/identity.ts';
import type { KubeObject, ResourceType, Secret } from '../kube/objects.ts';
import type { Timing } from './attempt/timing.ts';

/** What all kinds of certificate resources have in common. */
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
    | 'lastFailure'
    | 'nextAttemptTime'
    | 'secretUID'
    | 'secretResourceVersion'
    | 'secretGeneration'
    | 'awaitedSecret'
  > & {
    /** Of the last attempt that has a result here. Open ones are in the journal. */
    attemptId?: string;
    /** Of the certificate, if this kind records it. */
    fingerprint?: string;
  };
}

/** Labels and annotations that the operator maintains on a Secret. */
export type SecretMetadata = Required<Pick<Secret['metadata'], 'labels' | 'annotations'>>;

/** What differs between the kinds of certificates where the code is the same for all. */
export interface CertificateKind<T extends CertificateResource> {
  readonly type: ResourceType<T>;
  /** The CA's name in messages. */
  readonly caName: string;
  /** How long a request for a certificate of this kind can take. */
  readonly timing: Timing;
  /** The Secret's annotation that names the resource it was made for. */
  readonly nameAnnotation: string;
  /** The labels and annotations that spec and status require on the Secret. */
  readonly metadataOf: (certificate: T) => SecretMetadata;
  /**
   * The certificate that a Secret's annotations name, if this CA has ids. Anyone who may edit the Secret can name any, so do
   * not trust it alone.
   */
  readonly claimedBy: (secret: Pick<Secret, 'metadata'>) => CertificateRef | undefined;
  /** Fields of status that every write repeats (see `StatusWriter`). */
  readonly restated: readonly string[];
  /** Fields of status that the answer to a write has to have as they were written (see `StatusWriter`). */
  readonly echoed: readonly string[];
}

/** The Secret that a certificate is written to. */
export function secretRef({ metadata, spec }: Pick<CertificateResource, 'metadata' | 'spec'>): {
  namespace: string;
  name: string;
} {
  return { namespace: metadata.namespace ?? '', name: spec.secretName };
}

/** The earliest of several moments; undefined stands for one that never comes. */
export function earliest(...times: (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** When the certificate in status expires, in milliseconds since the epoch. */
export function expiryOf({ status }: Pick<CertificateResource, 'status'>): number | undefined {
  return status?.notAfter === undefined ? undefined : Date.parse(status.notAfter);
}
