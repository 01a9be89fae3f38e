import type { Clock } from '../../lib/clock.ts';

/** Without a word of the CA: 30 s, doubling to 10 min while it goes on. */
const FIRST_MS = 30_000;
const LONGEST_MS = 600_000;
/** A `Retry-After` of zero must not become a tight loop. */
const SHORTEST_MS = 1_000;

/** How long to leave a CA alone that says it is asked too often. */
export class RateLimitPause {
  readonly #clock: Clock;
  #until = 0;
  #untilWall: number | undefined;
  #level = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long the present pause still lasts, in milliseconds. */
  get left(): number {
    return Math.max(0, this.#until - this.#clock.monotonic());
  }

  /** The end of the last pause in milliseconds since the epoch, until something has succeeded after it. */
  get blockedUntil(): number | undefined {
    return this.#untilWall;
  }

  /**
   * The CA refused to answer so soon. What it asks for is done; what it does not say is guessed, once for all that were
   * under way together. A shorter wait never ends a longer one. Returns whether the pause is new or longer now.
   */
  limited(retryAfterMs: number | undefined): boolean {
    const isNew = this.left === 0;
    if (retryAfterMs === undefined && !isNew) return false;
    if (isNew) this.#level += 1;
    const guess = Math.min(LONGEST_MS, FIRST_MS * 2 ** (this.#level - 1));
    const ms = Math.max(SHORTEST_MS, retryAfterMs ?? guess);
    if (ms <= this.left) return false;
    this.#until = this.#clock.monotonic() + ms;
    this.#untilWall = this.#clock.now() + ms;
    return true;
  }

  /** A certificate was issued: the next guess is shorter. Returns whether this ended a time of limits. */
  succeeded(): boolean {
    this.#level = Math.max(0, this.#level - 1);
    return this.over();
  }

  /** Nobody waits for the end any more. Returns whether there was something to wait for. */
  over(): boolean {
    if (this.#untilWall === undefined || this.left > 0) return false;
    this.#untilWall = undefined;
    return true;
  }
}
