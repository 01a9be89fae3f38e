import type { CAcertCertificate } from '../api/kinds.ts';
import type { AttemptMemory } from '../issuance/attempt/memory.ts';
import type { Timing } from '../issuance/attempt/timing.ts';
import type { CAcertDirectory } from '../issuance/cacert/directory.ts';
import type { CertificateSecrets } from '../issuance/secret/certificate-secrets.ts';
import type { NameClaims } from '../issuance/secret/name-claims.ts';
import type { Warn } from '../issuance/status/events.ts';
import type { LastWritten } from '../issuance/status/last-written.ts';
import type { CrdsFit } from '../issuance/status/outdated-crds.ts';
import type { RateLimiter } from '../issuance/status/rate-limit.ts';
import type { StatusWriter } from '../issuance/status/writer.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Store } from '../kube/watch/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { CAcertCertificateMetrics } from '../metrics/registry.ts';
import type { PendingKeys } from './pending-keys.ts';

/** What the controller works with; all of it is shared between its files and lives as long as the process. */
export interface Deps {
  clock: Clock;
  timing: Timing;
  metrics: CAcertCertificateMetrics;
  warn: Warn;
  /** This process, as attempts name it. */
  holder: string;
  /** Whether this process leads at this very moment. */
  leads: () => boolean;
  /** Whether the CRDs know all that has to be written. */
  crds: CrdsFit;
  certificates: Store<CAcertCertificate>;
  written: LastWritten<CAcertCertificate>;
  /** The operator's Secrets, as metadata. */
  secrets: Store<KubeObject>;
  writtenSecrets: LastWritten<KubeObject>;
  directory: CAcertDirectory;
  /** Whether there is an account resource of this key in the directory's sense, checked or not. */
  accountExists: (key: string) => boolean;
  /** Has a certificate worked on again, by its key. */
  wake: (key: string) => void;
  /** What CAcert answered is a certificate in PEM, and nobody can ask for it again. */
  attempts: AttemptMemory<string>;
  statuses: StatusWriter<CAcertCertificate>;
  certificateSecrets: CertificateSecrets<CAcertCertificate>;
  nameClaims: NameClaims;
  pendingKeys: PendingKeys;
  repairLimiter: RateLimiter;
  /** How often the same was said of a resource lately. */
  reportLimiter: RateLimiter;
}

/** Names of indexes on the store of certificates. */
export const BY_ACCOUNT = 'account';
export const BY_PENDING = 'pending';
