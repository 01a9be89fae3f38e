import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';

/** So many repairs in a row are made at once: somebody tries things out, or a tool applies an old version. */
const FREE = 3;
const PAUSE: BackoffOptions = { base: 5_000, max: 600_000, jitter: 0.1 };
/** A Secret that was left in peace for this long is repaired at once again. */
const FORGOTTEN_AFTER_MS = 1_800_000;
const MOST_KEPT = 10_000;

interface Row {
  count: number;
  /** Monotonic milliseconds. */
  nextAt: number;
  forgetAt: number;
}

/**
 * How often Secrets were repaired lately, or the same was said in a status. Another writer that keeps changing it would
 * otherwise have the operator write, and ask the CA, as fast as it does. All of it may be lost.
 */
export class Repairs {
  readonly #rows = new Map<string, Row>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds to wait before the next repair under this key; 0 if it may be made now. */
  waits(key: string): number {
    const now = this.#clock.monotonic();
    const row = this.#rows.get(key);
    return row && now < row.forgetAt ? Math.max(0, row.nextAt - now) : 0;
  }

  /** Notes a repair. True for the one after which pauses begin. */
  note(key: string): boolean {
    const now = this.#clock.monotonic();
    const before = this.#rows.get(key);
    const count = (before && now < before.forgetAt ? before.count : 0) + 1;
    this.#rows.delete(key);
    const pause = count < FREE ? 0 : backoffDelay(PAUSE, count - FREE + 1);
    this.#rows.set(key, { count, nextAt: now + pause, forgetAt: now + pause + FORGOTTEN_AFTER_MS });
    // The oldest goes first.
    for (const [oldest] of this.#rows) if (this.#rows.size > MOST_KEPT) this.#rows.delete(oldest);
    return count === FREE;
  }
}
