import { type Clock, sleepOn } from '../../src/lib/clock.ts';

interface Armed {
  at: number;
  order: number;
  fn: () => void;
}

/** A clock that stands still until `advance` is called; `jump` separates wall and monotonic time. */
export class VirtualClock implements Clock {
  #elapsed = 0;
  #wallOffset: number;
  #order = 0;
  readonly #timers = new Set<Armed>();

  constructor(startsAt: string | number = '2026-01-01T00:00:00Z') {
    this.#wallOffset = typeof startsAt === 'number' ? startsAt : Date.parse(startsAt);
  }

  now(): number {
    return this.#wallOffset + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  timer(ms: number, fn: () => void): () => void {
    const armed: Armed = { at: this.#elapsed + Math.max(0, ms), order: this.#order++, fn };
    this.#timers.add(armed);
    return () => this.#timers.delete(armed);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** Moves the wall clock without letting time pass, as an administrator or NTP would. */
  jump(ms: number): void {
    this.#wallOffset += ms;
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets `ms` pass: fires the timers that fall due, in order, and lets promises settle between two of them. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.fn();
      await settle();
    }
    this.#elapsed = end;
  }

  #next(end: number): Armed | undefined {
    let first: Armed | undefined;
    for (const armed of this.#timers) {
      if (armed.at > end) continue;
      if (!first || armed.at < first.at || (armed.at === first.at && armed.order < first.order))
        first = armed;
    }
    return first;
  }
}

/** Runs everything that is already due (microtasks and immediates). */
export async function settle(rounds = 5): Promise<void> {
  for (let i = 0; i < rounds; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
