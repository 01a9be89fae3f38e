import { Counter, Gauge, Registry } from 'prom-client';
import { type Clock, systemClock } from '../lib/clock.ts';
import { type AccountMetrics, createAccountMetrics } from './accounts.ts';
import { type CallMetrics, createCallMetrics } from './calls.ts';
import { type ControllerMetrics, createControllerMetrics } from './controller.ts';
import { registerProcessMetrics } from './process.ts';
import { type QueueMetrics, createQueueMetrics } from './queue.ts';

/** How a certificate comes to be: a new key, or the same key with fresh validity. */
export const ISSUANCE_OPERATIONS = ['new', 'reissue'] as const;
/** How one attempt ended. `adopted`: recovery found what an earlier, interrupted attempt had bought. */
export const ISSUANCE_OUTCOMES = ['success', 'failure', 'adopted', 'abandoned'] as const;

/** What a certificate can be made at the CA. */
export const REVOCATION_ACTIONS = ['good', 'hold', 'revoked'] as const;
/**
 * How one change of status ended. `moot`: expired, replaced or gone; `released`: given up, since nobody is left who could
 * ask the CA.
 */
export const REVOCATION_OUTCOMES = ['success', 'moot', 'failure', 'released'] as const;

/** Requests to the API server, under client-go's names. */
export interface RestMetrics {
  readonly requests: Counter<'code' | 'method' | 'host'>;
}

/** The Lease. */
export interface LeaseMetrics {
  readonly leader: Gauge<'name'>;
}

/** What the operator is for. */
export interface CertificateMetrics {
  readonly issuances: Counter<'operation' | 'outcome'>;
  readonly revocations: Counter<'status' | 'outcome'>;
}

/** How one attempt at CAcert ended. `uncertain`: nobody knows; `mismatched`: with another thing than was asked for. */
export const CACERT_OUTCOMES = ['success', 'adopted', 'failure', 'uncertain', 'mismatched'] as const;

/** The same for CAcert's certificates, which cannot be revoked. */
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
  readonly tinycert: CallMetrics;
  readonly cacert: CallMetrics;
  readonly accounts: AccountMetrics;
  readonly certificates: CertificateMetrics;
  readonly cacertCertificates: CAcertCertificateMetrics;
}

export interface MetricsOptions {
  /** Whether to measure the process too (CPU, memory, event loop, garbage collection); true unless given. */
  process?: boolean;
  clock?: Clock;
}

/** Makes a registry of its own, never prom-client's global one, with every known series at zero. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.process ?? true) registerProcessMetrics(registry, options.clock ?? systemClock);
  const issuances = new Counter({
    name: 'tinycert_certificate_issuances_total',
    help: 'Attempts to issue or reissue a certificate, by outcome.',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  for (const operation of ISSUANCE_OPERATIONS)
    for (const outcome of ISSUANCE_OUTCOMES) issuances.inc({ operation, outcome }, 0);
  const revocations = new Counter({
    name: 'tinycert_certificate_revocations_total',
    help: 'Changes of the status of a certificate at TinyCert that were due, by outcome.',
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
    tinycert: createCallMetrics(registry, {
      prefix: 'tinycert',
      name: 'TinyCert',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
    }),
    // A request is signed by a machine apart, which takes its time.
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
