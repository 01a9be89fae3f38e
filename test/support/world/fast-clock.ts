import { AsyncResource } from 'node:async_hooks';
import { type Clock, sleepOn } from '../../../src/lib/clock.ts';

interface Armed {
  at: number;
  order: number;
  fn: () => void;
}

/**
 * A clock for an operator in this process that talks to real servers: real time plus everything that was skipped. Time also
 * passes by itself, so every wait ends; `skip` only shortens hours.
 */
export class FastClock implements Clock {
  /** Resolves once nothing is under way; called between two timers of a `skip`. */
  readonly #settle: () => Promise<void>;
  readonly #timers = new Set<Armed>();
  #skipped = 0;
  #jumped = 0;
  #order = 0;
  #wake: NodeJS.Timeout | undefined;

  constructor(settle: () => Promise<void>) {
    this.#settle = settle;
  }

  readonly now = (): number => Date.now() + this.#skipped + this.#jumped;

  monotonic(): number {
    return performance.now() + this.#skipped;
  }

  timer(ms: number, fn: () => void): () => void {
    // It runs in the context of the operator that armed it.
    const armed = {
      at: this.monotonic() + Math.max(0, ms),
      order: this.#order++,
      fn: AsyncResource.bind(fn),
    };
    this.#timers.add(armed);
    this.#arm();
    return () => this.#timers.delete(armed);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** Moves both clocks forward by `ms`. Fires the timers that fall due, in order, and waits until nothing is under way after each. */
  async skip(ms: number): Promise<void> {
    const end = this.monotonic() + ms;
    await this.#settle();
    for (let next = this.#first(); next && next.at <= end; next = this.#first()) {
      this.#skipped += Math.max(0, next.at - this.monotonic());
      this.#fire(next);
      await this.#settle();
    }
    this.#skipped += Math.max(0, end - this.monotonic());
    this.#arm();
  }

  /** Sets the wall clock ahead or back, as after a suspension of the machine, during which the monotonic clock stood still. */
  jump(ms: number): void {
    this.#jumped += ms;
  }

  #first(): Armed | undefined {
    let first: Armed | undefined;
    for (const armed of this.#timers) {
      if (!first || armed.at < first.at || (armed.at === first.at && armed.order < first.order))
        first = armed;
    }
    return first;
  }

  #fire(armed: Armed): void {
    this.#timers.delete(armed);
    armed.fn();
  }

  /** One real timer for the next due one, since time also passes by itself. */
  #arm(): void {
    clearTimeout(this.#wake);
    const first = this.#first();
    if (!first) return;
    const left = Math.min(Math.max(0, first.at - this.monotonic()), 2 ** 31 - 1);
    this.#wake = setTimeout(() => {
      for (let due = this.#first(); due && due.at <= this.monotonic(); due = this.#first()) this.#fire(due);
      this.#arm();
    }, Math.ceil(left));
  }
}
