import type { Deps as CAcertDeps } from '../cacert-certificates/deps.ts';
import type { CAcertAccounts } from '../account/cacert-accounts.ts';
import type { SecretWatches } from '../account/secret-watches.ts';
import type { TinyCertAccounts } from '../account/tinycert-accounts.ts';
import type { Journal } from '../journal/journal.ts';
import type { NameClaims } from '../issuance/secret/name-claims.ts';
import type { Warn, WarnOperator } from '../issuance/status/events.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Reconcile } from '../kube/controller/controller.ts';
import type { WorkQueue } from '../kube/controller/queue.ts';
import type { Clock } from '../lib/clock.ts';
import type { Metrics } from '../metrics/registry.ts';
import type { Deps as CertificateDeps } from '../tinycert-certificates/context/deps.ts';
import type { Settings } from './flags.ts';
import type { Informers } from './kinds/informers.ts';
import type { Need } from './kinds/needs.ts';

/** What the controllers of both CAs are built from. */
export interface Shared {
  kube: KubeClient;
  clock: Clock;
  metrics: Metrics;
  settings: Pick<Settings, 'namespaces' | 'cacert' | 'concurrency' | 'allowedEndpoints' | 'unclaimedWaitMs'>;
  /** Where the Secrets of cluster-scoped issuers are, and the operator's own events. */
  namespace: string;
  /** The name of this process, in the journal and in events. */
  holder: string;
  /** The journal of open attempts, for its sections. */
  journal: Pick<Journal, 'section'>;
  /** Whether this process leads at this moment. */
  leads: () => boolean;
  crds: CertificateDeps['crds'];
  accounts: TinyCertAccounts;
  /** The installation's key for seals, once it is loaded. */
  sealKey: () => Uint8Array;
  cacertAccounts: CAcertAccounts;
  /** Makes RSA keys; by default on a thread (docs/adr/0010-rsa-keys.md). */
  generateKey?: CAcertDeps['generateKey'];
  informers: Informers;
  /** Warnings about a resource. */
  warn: Warn;
  /** Warnings about the operator's own pod. */
  warnOperator: WarnOperator;
  secretWatches: SecretWatches;
  /** Which Secret each certificate names, of both CAs. */
  nameClaims: NameClaims;
  /** A new work queue with its metrics. */
  queueOf: (name: string) => WorkQueue;
}

/** One controller of the operator. */
export interface Controller {
  /** Also the `controller` label of its metrics. */
  name: string;
  queue: WorkQueue;
  /** How many keys it works on at once. */
  workers: number;
  reconcile: Reconcile;
  /** It starts once all of these are met. */
  needs: readonly Need[];
  /** It also waits a little for the journal, without which it could only look at everything and begin again. */
  awaitsJournal?: true;
}

/** The controllers of one CA. */
export interface CaControllers {
  controllers: readonly Controller[];
  /** How much is kept for objects, by owner. All of it is 0 once there are none. */
  kept: () => Record<string, number>;
  /** Ends what leads events to the queues. */
  stop: () => void;
}
