import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { AttemptMemory } from '../../issuance/attempt/memory.ts';
import type { Timing } from '../../issuance/attempt/timing.ts';
import type { CertificateSecrets } from '../../issuance/secret/certificate-secrets.ts';
import type { NameClaims } from '../../issuance/secret/name-claims.ts';
import type { Warn, WarnOperator } from '../../issuance/status/events.ts';
import type { LastWritten } from '../../issuance/status/last-written.ts';
import type { RateLimiter } from '../../issuance/status/rate-limit.ts';
import type { StatusWriter } from '../../issuance/status/writer.ts';
import type { LeftoverSecrets } from '../../issuance/tinycert/inventory/leftover-secrets.ts';
import type { Observations } from '../../issuance/tinycert/inventory/observations.ts';
import type { IssuerDirectory } from '../../issuance/tinycert/issuer-directory.ts';
import type { LastSessions } from '../../issuance/tinycert/promises/last-sessions.ts';
import type { ReleasedStore } from '../../issuance/tinycert/released-store.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { Store } from '../../kube/watch/store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CertificateMetrics } from '../../metrics/registry.ts';
import type { RevocationRetries } from './revocation-retries.ts';

/** What the controller works with; all of it is shared between its files and lives as long as the process. */
export interface Deps {
  kube: KubeClient;
  clock: Clock;
  timing: Timing;
  metrics: CertificateMetrics;
  warn: Warn;
  warnOperator: WarnOperator;
  /** This process, as attempts name it. */
  holder: string;
  /** Whether this process leads at this very moment. */
  leads: () => boolean;
  /** Whether the CRDs know all that has to be written; `check` looks again, `doubt` is for who has seen that they did not. */
  crds: { readonly fit: boolean; check: () => Promise<void>; doubt: () => void };
  certificates: Store<TinyCertCertificate>;
  /** Certificates' Secrets, as metadata. */
  secrets: Store<KubeObject>;
  /** All certificates within reach, live. */
  listCertificates: (signal: AbortSignal) => Promise<TinyCertCertificate[]>;
  directory: IssuerDirectory;
  /** Whether there is an issuer resource of this key in the directory's sense, checked or not. */
  issuerExists: (key: string) => boolean;
  /** False while the API server does not serve the issuer's kind; `issuerExists` is true then. */
  issuerKindInstalled: (key: string) => boolean;
  /** Has a certificate worked on again, by its key. */
  wake: (key: string) => void;
  attempts: AttemptMemory<number>;
  /** What inventories found out about certificates that resources have. */
  observations: Observations;
  /** What issuers remember of certificates that were given up. */
  releasedStore: ReleasedStore;
  /** What Secrets prove whose resources are gone. */
  leftoverSecrets: Pick<LeftoverSecrets, 'of'>;
  revocationRetries: RevocationRetries;
  /** Issuers as they were last ready, for what was promised when they are gone. */
  lastSessions: Pick<LastSessions, 'get'>;
  repairLimiter: RateLimiter;
  /** How often the same was said of a resource lately. */
  reportLimiter: RateLimiter;
  writtenCertificates: LastWritten<TinyCertCertificate>;
  writtenSecrets: LastWritten<KubeObject>;
  statuses: StatusWriter<TinyCertCertificate>;
  certificateSecrets: CertificateSecrets<TinyCertCertificate>;
  /** Which Secret belongs to whom, across the kinds of certificates. */
  nameClaims: NameClaims;
}

/** Names of indexes on the store of certificates. */
export const BY_ISSUER = 'issuer';
/** By the ids that a resource claims. */
export const BY_CERTIFICATE = 'certificate';
