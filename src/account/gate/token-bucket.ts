import type { Clock } from '../../lib/clock.ts';

export interface Rate {
  /** Admissions in a minute, in the long run. */
  perMinute: number;
  /** Admissions at once after a quiet time. */
  burst: number;
}

/** Spreads admissions over time: never more than `burst` and then `perMinute`. */
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

  /** Whole tokens there are now. */
  get available(): number {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(
      this.#rate.burst,
      this.#tokens + ((now - this.#at) * this.#rate.perMinute) / 60_000,
    );
    this.#at = now;
    // What rounding takes from a token that is due would else be waited for again.
    return Math.floor(this.#tokens + 1e-9);
  }

  /** Milliseconds until there is one token more than now. */
  get nextMs(): number {
    const missing = this.available + 1 - this.#tokens;
    return Math.ceil((missing * 60_000) / this.#rate.perMinute);
  }

  /** Takes one, which must be there. */
  take(): void {
    this.#tokens -= 1;
  }
}
