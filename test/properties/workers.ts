import type { Clock } from '../../src/lib/clock.ts';
import type { QueueMetrics } from '../../src/metrics/queue.ts';
import type { Exchange } from './network.ts';

/** A key that was due, and had no worker from then until then, on the monotonic clock. */
export interface Wait {
  queue: string;
  from: number;
  to: number;
}

/** A controller starts this long after its operator at the latest, in milliseconds. Until then its queue only fills. */
const STARTED_MS = 6_000;
/** How long a worker may take beside its requests to CAs, in milliseconds: some requests to the API server. */
const BESIDE_MS = 2_000;

/** The metrics of queues, which also note each wait for a worker. */
export function noting(metrics: QueueMetrics, clock: Clock, waits: Wait[]): QueueMetrics {
  const since = clock.monotonic() + STARTED_MS;
  return {
    attach(queue, state) {
      const observer = metrics.attach(queue, state);
      return {
        ...observer,
        started(seconds) {
          observer.started(seconds);
          const to = clock.monotonic();
          const from = Math.max(since, to - seconds * 1_000);
          if (to - from > BESIDE_MS) waits.push({ queue, from, to });
        },
      };
    },
  };
}

/**
 * Keys that were due and had no worker although no request was under way, in a sentence each. Whoever is not admitted to an account
 * is parked without a worker (docs/architecture.md, When the CA fails), so a stopped account holds up nobody else.
 */
export function heldUp({
  waits,
  network,
}: {
  waits: readonly Wait[];
  network: { exchanges: Exchange[] };
}): string[] {
  return waits.flatMap(({ queue, from, to }) => {
    const idle = longestGap(network.exchanges, from, to);
    return idle > BESIDE_MS
      ? [
          `a key of ${queue} was due from ${from} to ${to} and had no worker, ${idle} ms of it without a request`,
        ]
      : [];
  });
}

/** The longest time between two moments in which no exchange was under way, in milliseconds. */
function longestGap(exchanges: readonly Exchange[], from: number, to: number): number {
  let end = from;
  let longest = 0;
  for (const each of exchanges) {
    if (each.to <= end) continue;
    if (each.from >= to) break;
    longest = Math.max(longest, each.from - end);
    end = Math.max(end, each.to);
  }
  return Math.max(longest, to - end);
}
