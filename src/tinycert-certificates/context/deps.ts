import type { AtRest } from '../../account/at-rest.ts';
import type { Gates } from '../../issuance/decide/gate-turn.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { CertificateRef } from '../../api/tinycert/identity.ts';
import type { OpenAttempts } from '../../issuance/attempt/open-attempts.ts';
import type { Timing } from '../../issuance/attempt/timing.ts';
import type { CertificateSecrets } from '../../issuance/secret/certificate-secrets.ts';
import type { NameClaims } from '../../issuance/secret/name-claims.ts';
import type { Warn, WarnOperator } from '../../issuance/status/events.ts';
import type { LastWritten } from '../../issuance/status/last-written.ts';
import type { RateLimiter } from '../../issuance/status/rate-limit.ts';
import type { StatusWriter } from '../../issuance/status/writer.ts';
import type { LeftoverSecrets } from '../../issuance/tinycert/inventory/leftover-secrets.ts';
import type { LossSigns } from '../../issuance/tinycert/inventory/loss-signs.ts';
import type { Observations } from '../../issuance/tinycert/inventory/observations.ts';
import type { ResealPace } from '../../issuance/tinycert/reseal-pace.ts';
import type { IssuerDirectory, ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import type { Sealer } from '../../issuance/tinycert/seal.ts';
import type { LastSessions } from '../../issuance/tinycert/revocations/last-sessions.ts';
import type { TinyCertJournal } from '../../issuance/tinycert/records.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { Store } from '../../kube/watch/store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CertificateMetrics } from '../../metrics/registry.ts';
import type { RevocationRetries } from './revocation-retries.ts';

/** What the controller works with. Its files share all of it, and it lives as long as the process. */
export interface Deps {
  kube: KubeClient;
  clock: Clock;
  timing: Timing;
  metrics: CertificateMetrics;
  /** Reports something to act on, by an event on the resource. */
  warn: Warn;
  /** Reports something that no resource is left to report, by an event on the operator's Pod. */
  warnOperator: WarnOperator;
  /** Whether this process leads at this moment. */
  leads: () => boolean;
  /** Whether the installed CRDs have every field; `check` checks again, `doubt` is for evidence that they did not. */
  crds: { readonly fit: boolean; check: () => Promise<void>; doubt: () => void };
  certificates: Store<TinyCertCertificate>;
  /** The operator's Secrets, as metadata. */
  secrets: Store<KubeObject>;
  /** Lists all certificates in scope, live, for all who ask before the list begins. */
  listCertificates: (signal: AbortSignal) => Promise<TinyCertCertificate[]>;
  /** Verifies seals by the installation's key, whatever account they are of. */
  installation: Sealer;
  directory: IssuerDirectory;
  /** Whether the issuer resource with this key of the directory exists, checked or not. */
  issuerExists: (key: string) => boolean;
  /** Whether the issuer resource is being deleted, and waits for its last revocations. */
  issuerIsDeleted: (key: string) => boolean;
  /** Whether the API server serves the issuer's kind. If it does not, `issuerExists` is true. */
  issuerKindInstalled: (key: string) => boolean;
  /** Requeues a certificate by its key. */
  wake: (key: string) => void;
  /** Which certificates a change of the issuer's state cannot concern. */
  atRest: AtRest<ReadyIssuer>;
  /** The gates of all accounts. */
  gates: Gates;
  /** What this process knows of open attempts, by the owner of their entry. */
  attempts: OpenAttempts<CertificateRef>;
  /** The open attempts, written before TinyCert is asked, and what was given up. */
  journal: TinyCertJournal;
  /** What inventories found out about the certificates of resources. */
  observations: Observations;
  /** What inventories showed that resources without a certificate may have bought. */
  lossSigns: LossSigns;
  /** Takes the list of the issuer's authority again, unless it has what was bought before `moment`: milliseconds since the epoch. */
  listAgain: (issuer: ReadyIssuer, moment: number, signal: AbortSignal) => Promise<void>;
  /** How long a first purchase waits for an owner of what a resource may have lost, in milliseconds. */
  unclaimedWaitMs: number;
  /** When partial seals are written again. */
  resealPace: ResealPace;
  /** The Secrets of resources that are gone, as evidence of what those had. */
  leftoverSecrets: Pick<LeftoverSecrets, 'of'>;
  revocationRetries: RevocationRetries;
  /** Issuers as they were last ready, for revocations that are due after they are gone. */
  lastSessions: Pick<LastSessions, 'get' | 'of'>;
  /** Serial numbers of the certificates that are being adopted. */
  adopting: Set<string>;
  repairLimiter: RateLimiter;
  reportLimiter: RateLimiter;
  writtenCertificates: LastWritten<TinyCertCertificate>;
  writtenSecrets: LastWritten<KubeObject>;
  statuses: StatusWriter<TinyCertCertificate>;
  certificateSecrets: CertificateSecrets<TinyCertCertificate>;
  /** Which resource a Secret's name belongs to, across the kinds of certificates. */
  nameClaims: NameClaims;
}

/** Index of certificates by uid. */
export const BY_UID = 'uid';
/** Index of certificates by issuer. */
export const BY_ISSUER = 'issuer';
/** Index of certificates by the accounts that they have left. */
export const BY_FORMER_ACCOUNT = 'former account';
/** Index of certificates by the keys of what they claim at TinyCert. */
export const BY_CERTIFICATE = 'certificate';
