import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { AttemptMemory } from '../../issuance/attempt/memory.ts';
import type { CertificateSecrets } from '../../issuance/secret/certificate-secrets.ts';
import type { IssuerDirectory } from '../../issuance/tinycert/issuer-directory.ts';
import type { LeftBehind } from '../../issuance/tinycert/inventory/leftover-secrets.ts';
import type { LastWritten } from '../../issuance/status/last-written.ts';
import type { Observations } from '../../issuance/tinycert/inventory/observations.ts';
import type { SecretClaims } from '../../issuance/secret/name-claims.ts';
import type { Records } from '../../issuance/tinycert/released-store.ts';
import type { StatusWriter } from '../../issuance/status/writer.ts';
import type { Timing } from '../../issuance/attempt/timing.ts';
import type { LastSessions } from '../../issuance/tinycert/promises/last-sessions.ts';
import type { Warn } from '../../issuance/status/warn.ts';
import type { Witness } from '../../issuance/status/witness.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { Store } from '../../kube/watch/store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CertificateMetrics } from '../../metrics/registry.ts';
import type { PromiseMemory } from './revocation-retries.ts';
import type { Repairs } from '../../issuance/status/rate-limit.ts';

/** What the controller works with; all of it is shared between its files and lives as long as the process. */
export interface Deps {
  kube: KubeClient;
  clock: Clock;
  timing: Timing;
  metrics: CertificateMetrics;
  warn: Warn;
  witness: Witness;
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
  /** Has a certificate worked on again, by its key. */
  wake: (key: string) => void;
  attempts: AttemptMemory<number>;
  /** What inventories found out about certificates that resources have. */
  observations: Observations;
  /** What issuers remember of certificates that were given up. */
  records: Records;
  /** What Secrets prove whose resources are gone. */
  leftBehind: Pick<LeftBehind, 'of'>;
  promises: PromiseMemory;
  /** Issuers as they were last ready, for what was promised when they are gone. */
  sessions: Pick<LastSessions, 'get'>;
  repairs: Repairs;
  /** How often the same was said of a resource lately. */
  reports: Repairs;
  writtenCertificates: LastWritten<TinyCertCertificate>;
  writtenSecrets: LastWritten<KubeObject>;
  statuses: StatusWriter<TinyCertCertificate>;
  ownSecrets: CertificateSecrets<TinyCertCertificate>;
  /** Which Secret belongs to whom, across the kinds of certificates. */
  secretClaims: SecretClaims;
}

/** Names of indexes on the store of certificates. */
export const BY_ISSUER = 'issuer';
/** By the ids that a resource claims. */
export const BY_CERTIFICATE = 'certificate';
