import type { Clock } from '../../lib/clock.ts';

export interface Rate {
  /** Admissions per minute in the long run. */
  perMinute: number;
  /** Admissions at once after a quiet period. */
  burst: number;
}

/** Spreads admissions over time: at most `burst` at once, then `perMinute`. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#at = clock.monotonic();
  }

  /** Whole tokens available now. */
  get available(): number {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(
      this.#rate.burst,
      this.#tokens + ((now - this.#at) * this.#rate.perMinute) / 60_000,
    );
    this.#at = now;
    // Rounding must not withhold a token that is due.
    return Math.floor(this.#tokens + 1e-9);
  }

  /** Milliseconds until one more token is available. */
  get nextMs(): number {
    const missing = this.available + 1 - this.#tokens;
    return Math.ceil((missing * 60_000) / this.#rate.perMinute);
  }

  /** Takes a token; one must be available. */
  take(): void {
    this.#tokens -= 1;
  }
}
