import type { Clock } from '../lib/clock.ts';

/** Leave to work against an account's CA. Give it back with `release`, once, whatever happened. */
export interface Permit {
  release(): void;
}

export interface EnterOptions {
  /** Work with the lowest number goes first: the time (ms since the epoch) at which the old certificate ends. */
  urgency: number;
  signal?: AbortSignal | undefined;
}

interface Waiting {
  urgency: number;
  order: number;
  admit: (permit: Permit) => void;
}

/**
 * The one door to an account's CA: at most `limit` issuances at a time, nearest expiry first, nobody while a rate
 * limit lasts. Whoever waits here has not written an attempt yet, so that waiting costs nothing to recover from.
 */
export class Gate {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #inside = 0;
  #order = 0;
  #pausedUntil = 0;
  #wake: (() => void) | undefined;

  constructor(options: { limit: number; clock: Clock }) {
    this.#limit = options.limit;
    this.#clock = options.clock;
  }

  /** Waits for a place. Rejects with the signal's reason if it aborts first. */
  enter({ urgency, signal }: EnterOptions): Promise<Permit> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal?.reason as Error);
      };
      const waiting: Waiting = {
        urgency,
        order: this.#order++,
        admit: (permit) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(permit);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#insert(waiting);
      this.#admit();
    });
  }

  /** Lets nobody in for `ms`: the CA said that it is asked too often. A shorter pause never ends a longer one. */
  pause(ms: number): void {
    const until = this.#clock.monotonic() + ms;
    if (until <= this.#pausedUntil) return;
    this.#pausedUntil = until;
    this.#wake?.();
    this.#wake = this.#clock.timer(ms, () => {
      this.#wake = undefined;
      this.#admit();
    });
  }

  /** How long the present pause still lasts, in milliseconds. */
  get pausedFor(): number {
    return Math.max(0, this.#pausedUntil - this.#clock.monotonic());
  }

  /** How many are inside and how many wait. */
  get load(): { inside: number; waiting: number } {
    return { inside: this.#inside, waiting: this.#waiting.length };
  }

  #insert(waiting: Waiting): void {
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#waiting[middle];
      if (other && other.urgency <= waiting.urgency) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, waiting);
  }

  #admit(): void {
    while (this.#inside < this.#limit && this.pausedFor === 0) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#inside += 1;
      next.admit(this.#permit());
    }
  }

  #permit(): Permit {
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        this.#inside -= 1;
        this.#admit();
      },
    };
  }
}
