import type { Clock } from '../../lib/clock.ts';

/** How long apart partial seals are written again. */
export const RESEAL_EVERY_MS = 500;

/**
 * Spreads the writes that make partial seals whole again. All resources of an account need one when its API key is replaced, and
 * none of them is urgent.
 */
export class ResealPace {
  readonly #clock: Clock;
  readonly #slots = new Map<string, number>();
  #last = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the resource with this uid has its turn, in monotonic milliseconds: the same until it is forgotten. */
  turnOf(uid: string): number {
    const known = this.#slots.get(uid);
    if (known !== undefined) return known;
    this.#last = Math.max(this.#clock.monotonic(), this.#last + RESEAL_EVERY_MS);
    this.#slots.set(uid, this.#last);
    return this.#last;
  }

  /** The seal is whole or broken by now, or the resource is gone. */
  forget(uid: string): void {
    this.#slots.delete(uid);
  }

  get size(): number {
    return this.#slots.size;
  }
}
