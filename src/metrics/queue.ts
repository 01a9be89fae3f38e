import { Counter, Gauge, Histogram, type Registry, exponentialBuckets } from 'prom-client';

/** The state of a queue, read at each scrape. */
export interface QueueState {
  /** Keys that are ready and wait for a worker. */
  depth: number;
  /** Seconds that all running keys together have been running. */
  unfinishedSeconds: number;
  /** Seconds that the longest running key has been running. */
  longestRunningSeconds: number;
}

/** What a queue reports as it happens. */
export interface QueueObserver {
  added(): void;
  /** A ready key was handed out after it had waited this long. */
  started(waitedSeconds: number): void;
  finished(workedSeconds: number): void;
  /** A key was put back after a failure. */
  retried(): void;
}

/** The metrics of all queues, with client-go's names and the queue's name as `name` and `controller`. */
export interface QueueMetrics {
  /** Starts the series of one queue at zero. `state` is read at each scrape. */
  attach(name: string, state: () => QueueState): QueueObserver;
}

const labelNames = ['name', 'controller'] as const;
type Label = (typeof labelNames)[number];

/** Registers the work-queue metrics. */
export function createQueueMetrics(registry: Registry): QueueMetrics {
  const registers = [registry];
  const states = new Map<string, () => QueueState>();
  const gauge = (name: string, help: string, read: (state: QueueState) => number): Gauge<Label> =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const [queue, state] of states) this.set({ name: queue, controller: queue }, read(state()));
      },
    });
  const histogram = (name: string, help: string): Histogram<Label> =>
    new Histogram({ name, help, labelNames, registers, buckets: exponentialBuckets(1e-8, 10, 12) });

  gauge('workqueue_depth', 'Keys that wait for a worker.', (state) => state.depth);
  gauge(
    'workqueue_unfinished_work_seconds',
    'Seconds that all running keys together have been running.',
    (state) => state.unfinishedSeconds,
  );
  gauge(
    'workqueue_longest_running_processor_seconds',
    'Seconds that the longest running key has been running.',
    (state) => state.longestRunningSeconds,
  );
  const adds = new Counter({
    name: 'workqueue_adds_total',
    help: 'Keys added to the queue.',
    labelNames,
    registers,
  });
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Keys put back after a failure.',
    labelNames,
    registers,
  });
  const waited = histogram(
    'workqueue_queue_duration_seconds',
    'Seconds that a ready key waited for a worker.',
  );
  const worked = histogram('workqueue_work_duration_seconds', 'Seconds that a worker spent on a key.');

  return {
    attach(name, state) {
      const labels = { name, controller: name };
      states.set(name, state);
      const [addsOf, retriesOf] = [adds.labels(labels), retries.labels(labels)];
      const [waitedOf, workedOf] = [waited.labels(labels), worked.labels(labels)];
      addsOf.inc(0);
      retriesOf.inc(0);
      waited.zero(labels);
      worked.zero(labels);
      return {
        added: () => addsOf.inc(),
        started: (seconds) => waitedOf.observe(seconds),
        finished: (seconds) => workedOf.observe(seconds),
        retried: () => retriesOf.inc(),
      };
    },
  };
}
