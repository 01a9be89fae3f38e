import type { Clock } from '../../src/lib/clock.ts';
import type { QueueMetrics } from '../../src/metrics/queue.ts';
import type { Exchange } from './network.ts';

/** A time in which a key was due and had no worker, or in which it had one, on the monotonic clock. */
export interface Wait {
  queue: string;
  hadWorker: boolean;
  from: number;
  to: number;
}

/** A controller starts this long after its operator at the latest, in milliseconds. Until then its queue only fills. */
const STARTED_MS = 6_000;
/** How long a worker may take beside its requests to CAs, in milliseconds: some requests to the API server. */
const BESIDE_MS = 2_000;

/** The metrics of queues, which also note each longer wait for a worker, and each longer work. */
export function noting(metrics: QueueMetrics, clock: Clock, waits: Wait[]): QueueMetrics {
  const since = clock.monotonic() + STARTED_MS;
  const note = (queue: string, hadWorker: boolean, seconds: number): void => {
    const to = clock.monotonic();
    const from = Math.max(since, to - seconds * 1_000);
    if (to - from > BESIDE_MS) waits.push({ queue, hadWorker, from, to });
  };
  return {
    attach(queue, state) {
      const observer = metrics.attach(queue, state);
      return {
        ...observer,
        started(seconds) {
          observer.started(seconds);
          note(queue, false, seconds);
        },
        finished(seconds) {
          observer.finished(seconds);
          note(queue, true, seconds);
        },
      };
    },
  };
}

/**
 * Keys that were due and had no worker, or that kept one, although no request was under way, in a sentence each. Whoever is not
 * admitted to an account is parked without a worker (docs/architecture.md, When the CA fails), so a stopped account holds up nobody.
 */
export function heldUp({
  waits,
  network,
}: {
  waits: readonly Wait[];
  network: { exchanges: Exchange[] };
}): string[] {
  return waits.flatMap(({ queue, hadWorker, from, to }) => {
    const idle = longestGap(network.exchanges, from, to);
    if (idle <= BESIDE_MS) return [];
    const what = hadWorker ? 'kept a worker' : 'was due and had no worker';
    return [`a key of ${queue} ${what} from ${from} to ${to}, ${idle} ms of it without a request`];
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
