import type { AtRest } from '../account/at-rest.ts';
import type { Gates } from '../issuance/decide/gate-turn.ts';
import type { CAcertCertificate } from '../api/kinds.ts';
import type { OpenAttempts } from '../issuance/attempt/open-attempts.ts';
import type { Timing } from '../issuance/attempt/timing.ts';
import type { CAcertDirectory, ReadyCAcertAccount } from '../issuance/cacert/directory.ts';
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
import type { generateRsaKey } from '../x509/generate-rsa-key.ts';
import type { CAcertJournal } from './attempt.ts';
import type { PendingKeys } from './pending-keys.ts';

/** What the controller uses. Everything here is shared and lives as long as the process. */
export interface Deps {
  clock: Clock;
  timing: Timing;
  metrics: CAcertCertificateMetrics;
  warn: Warn;
  /** Whether this process leads right now. */
  leads: () => boolean;
  /** Whether the installed CRDs know every field that the operator writes. */
  crds: CrdsFit;
  certificates: Store<CAcertCertificate>;
  written: LastWritten<CAcertCertificate>;
  /** The operator's Secrets, as metadata. */
  secrets: Store<KubeObject>;
  writtenSecrets: LastWritten<KubeObject>;
  directory: CAcertDirectory;
  /** Whether an account resource exists for a key of the directory, checked or not. */
  accountExists: (key: string) => boolean;
  /** Queues a certificate by its key. */
  wake: (key: string) => void;
  /** Which certificates a change of the issuer's state cannot concern. */
  atRest: AtRest<ReadyCAcertAccount>;
  /** The gates of all accounts. */
  gates: Gates;
  /** The answers of CAcert are PEM certificates, which no call can fetch again. */
  attempts: OpenAttempts<string>;
  /** The open attempts, written before CAcert is asked. */
  journal: CAcertJournal;
  statuses: StatusWriter<CAcertCertificate>;
  certificateSecrets: CertificateSecrets<CAcertCertificate>;
  nameClaims: NameClaims;
  pendingKeys: PendingKeys;
  /** Makes an RSA key; on a thread unless given. */
  generateKey?: typeof generateRsaKey;
  repairLimiter: RateLimiter;
  /** Slows down repeated reports about the same resource. */
  reportLimiter: RateLimiter;
}

/** The indexes of the store of certificates. */
export const BY_ACCOUNT = 'account';
export const BY_PENDING = 'pending';
export const BY_UID = 'uid';
