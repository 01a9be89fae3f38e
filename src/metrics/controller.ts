import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The result of a reconcile, in controller-runtime's terms. */
export const RECONCILE_RESULTS = ['success', 'error', 'requeue', 'requeue_after'] as const;
export type ReconcileOutcome = (typeof RECONCILE_RESULTS)[number];

/** What a controller reports as it happens. */
export interface ControllerObserver {
  workers(count: number): void;
  started(): void;
  finished(outcome: ReconcileOutcome, seconds: number): void;
  failed(): void;
  failedForGood(): void;
  timedOut(): void;
  conflicted(): void;
}

/** The metrics of all controllers, with controller-runtime's names. */
export interface ControllerMetrics {
  /** Starts the series of one controller at zero. */
  attach(name: string): ControllerObserver;
}

/** controller-runtime's buckets, for its dashboards. */
const BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
  1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

/** Registers the controller metrics. */
export function createControllerMetrics(registry: Registry): ControllerMetrics {
  const registers = [registry];
  const counter = (name: string, help: string): Counter<'controller'> =>
    new Counter({ name, help, labelNames: ['controller'], registers });
  const gauge = (name: string, help: string): Gauge<'controller'> =>
    new Gauge({ name, help, labelNames: ['controller'], registers });

  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles by result.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Seconds that a reconcile took.',
    labelNames: ['controller'],
    buckets: BUCKETS,
    registers,
  });
  const errors = counter('controller_runtime_reconcile_errors_total', 'Reconciles that failed.');
  const terminal = counter(
    'controller_runtime_terminal_reconcile_errors_total',
    'Reconciles that failed with an error that is not retried.',
  );
  const timeouts = counter(
    'controller_runtime_reconcile_timeouts_total',
    'Reconciles that exceeded their time limit.',
  );
  const conflicts = counter(
    'tinycert_reconcile_conflicts_total',
    'Reconciles repeated because an object had changed in between.',
  );
  const active = gauge('controller_runtime_active_workers', 'Workers that are running a reconcile.');
  const most = gauge('controller_runtime_max_concurrent_reconciles', 'Workers of the controller.');

  return {
    attach(name) {
      const labels = { controller: name };
      const results = new Map(
        RECONCILE_RESULTS.map((result) => [result, total.labels({ controller: name, result })]),
      );
      for (const result of results.values()) result.inc(0);
      for (const zero of [errors, terminal, timeouts, conflicts]) zero.inc(labels, 0);
      active.set(labels, 0);
      most.set(labels, 0);
      time.zero(labels);
      const [activeOf, timeOf] = [active.labels(labels), time.labels(labels)];
      return {
        workers: (count) => most.set(labels, count),
        started: () => activeOf.inc(),
        finished(outcome, seconds) {
          activeOf.dec();
          timeOf.observe(seconds);
          results.get(outcome)?.inc();
        },
        failed: () => errors.inc(labels),
        failedForGood: () => terminal.inc(labels),
        timedOut: () => timeouts.inc(labels),
        conflicted: () => conflicts.inc(labels),
      };
    },
  };
}
