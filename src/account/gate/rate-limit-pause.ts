import type { Clock } from '../../lib/clock.ts';

/** First pause if the CA names none, in milliseconds; it doubles while rate limits go on. */
export const FIRST_PAUSE_MS = 30_000;
/** Longest pause if the CA names none, in milliseconds. */
export const MAX_PAUSE_MS = 600_000;
/** Shortest pause, in milliseconds: a `Retry-After` of zero must not become a tight loop. */
export const MIN_PAUSE_MS = 1_000;

/** How long to send no requests to a CA after it refused one because of its rate limit. */
export class RateLimitPause {
  readonly #clock: Clock;
  #until = 0;
  #untilWall: number | undefined;
  #level = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is left of the present pause, in milliseconds. */
  get left(): number {
    return Math.max(0, this.#until - this.#clock.monotonic());
  }

  /** The end of the last pause, in milliseconds since the epoch; undefined once something has succeeded after it. */
  get blockedUntil(): number | undefined {
    return this.#untilWall;
  }

  /**
   * Starts or extends the pause. `retryAfterMs` is what the CA asked for; without it, the duration is guessed, once for all
   * requests that were under way together. A shorter pause never ends a longer one. Returns whether the pause is new or
   * longer now.
   */
  limited(retryAfterMs: number | undefined): boolean {
    const isNew = this.left === 0;
    if (retryAfterMs === undefined && !isNew) return false;
    if (isNew) this.#level += 1;
    const guess = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#level - 1));
    const ms = Math.max(MIN_PAUSE_MS, retryAfterMs ?? guess);
    if (ms <= this.left) return false;
    this.#until = this.#clock.monotonic() + ms;
    this.#untilWall = this.#clock.now() + ms;
    return true;
  }

  /** Makes the next guess shorter, after an issuance. Returns whether this ended a time of rate limits. */
  succeeded(): boolean {
    this.#level = Math.max(0, this.#level - 1);
    return this.over();
  }

  /** Forgets the last pause if it is over. Returns whether there was one to forget. */
  over(): boolean {
    if (this.#untilWall === undefined || this.left > 0) return false;
    this.#untilWall = undefined;
    return true;
  }
}
