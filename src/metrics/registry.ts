import { Counter, Gauge, Registry } from 'prom-client';
import { type Clock, systemClock } from '../lib/clock.ts';
import { type AccountMetrics, createAccountMetrics } from './accounts.ts';
import { type CallMetrics, createCallMetrics } from './calls.ts';
import { type ControllerMetrics, createControllerMetrics } from './controller.ts';
import { createJournalMetrics, type JournalMetrics } from './journal.ts';
import { registerProcessMetrics } from './process.ts';
import { type QueueMetrics, createQueueMetrics } from './queue.ts';

/** How a certificate is made: with a new key, or with the same key and a new validity. */
export const ISSUANCE_OPERATIONS = ['new', 'reissue'] as const;
/** The outcome of an attempt. `adopted`: recovery found what an interrupted attempt had bought. */
export const ISSUANCE_OUTCOMES = ['success', 'failure', 'adopted', 'abandoned'] as const;

/** The status that a certificate can be given at the CA. */
export const REVOCATION_ACTIONS = ['good', 'hold', 'revoked'] as const;
/**
 * The outcome of a change of status. `moot`: the certificate has expired, or was replaced or deleted; `released`: given up,
 * because no account is left to ask the CA with.
 */
export const REVOCATION_OUTCOMES = ['success', 'moot', 'failure', 'released'] as const;

/** Requests to the API server, with client-go's metric names. */
export interface RestMetrics {
  readonly requests: Counter<'code' | 'method' | 'host'>;
}

/** Leader election. */
export interface LeaseMetrics {
  readonly leader: Gauge<'name'>;
}

/** TinyCert certificates. */
export interface CertificateMetrics {
  readonly issuances: Counter<'operation' | 'outcome'>;
  readonly revocations: Counter<'status' | 'outcome'>;
}

/** The outcome of an attempt at CAcert. `uncertain`: unknown; `mismatched`: CAcert signed something else than requested. */
export const CACERT_OUTCOMES = ['success', 'adopted', 'failure', 'uncertain', 'mismatched'] as const;

/** CAcert certificates. The operator cannot revoke them. */
export interface CAcertCertificateMetrics {
  readonly issuances: Counter<'outcome'>;
}

/** All metrics of one process. */
export interface Metrics {
  readonly registry: Registry;
  readonly controller: ControllerMetrics;
  readonly queue: QueueMetrics;
  readonly rest: RestMetrics;
  readonly lease: LeaseMetrics;
  readonly journal: JournalMetrics;
  readonly tinycert: CallMetrics;
  readonly cacert: CallMetrics;
  readonly accounts: AccountMetrics;
  readonly certificates: CertificateMetrics;
  readonly cacertCertificates: CAcertCertificateMetrics;
}

export interface MetricsOptions {
  /** Whether to add metrics of the process (CPU, memory, event loop, garbage collection); true unless given. */
  process?: boolean;
  clock?: Clock;
}

/** Creates a registry, never prom-client's global one, with every known series at zero. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.process ?? true) registerProcessMetrics(registry, options.clock ?? systemClock);
  const issuances = new Counter({
    name: 'tinycert_certificate_issuances_total',
    help: 'Attempts to issue or reissue a TinyCert certificate, by operation and outcome.',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  for (const operation of ISSUANCE_OPERATIONS)
    for (const outcome of ISSUANCE_OUTCOMES) issuances.inc({ operation, outcome }, 0);
  const revocations = new Counter({
    name: 'tinycert_certificate_revocations_total',
    help: 'Changes of the status of certificates at TinyCert, by wanted status and outcome.',
    labelNames: ['status', 'outcome'],
    registers,
  });
  for (const status of REVOCATION_ACTIONS)
    for (const outcome of REVOCATION_OUTCOMES) revocations.inc({ status, outcome }, 0);
  const cacertIssuances = new Counter({
    name: 'cacert_certificate_issuances_total',
    help: 'Attempts to have a certificate signed by CAcert, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of CACERT_OUTCOMES) cacertIssuances.inc({ outcome }, 0);
  return {
    registry,
    controller: createControllerMetrics(registry),
    queue: createQueueMetrics(registry),
    rest: {
      requests: new Counter({
        name: 'rest_client_requests_total',
        help: 'Requests to the API server, by status code, method and host.',
        labelNames: ['code', 'method', 'host'],
        registers,
      }),
    },
    lease: {
      leader: new Gauge({
        name: 'leader_election_master_status',
        help: 'Whether this process leads: 1 or 0.',
        labelNames: ['name'],
        registers,
      }),
    },
    journal: createJournalMetrics(registry),
    tinycert: createCallMetrics(registry, {
      prefix: 'tinycert',
      name: 'TinyCert',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
    }),
    // CAcert signs on a separate machine, which can take a minute and more.
    cacert: createCallMetrics(registry, {
      prefix: 'cacert',
      name: 'CAcert',
      buckets: [0.1, 0.5, 1, 5, 10, 15, 20, 30, 45, 60, 90, 120],
    }),
    accounts: createAccountMetrics(registry),
    certificates: { issuances, revocations },
    cacertCertificates: { issuances: cacertIssuances },
  };
}
