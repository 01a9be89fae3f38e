import type { Clock } from '../lib/clock.ts';

/** The difference between the service's clock and ours. */
export interface ClockOffset {
  /** Milliseconds to add to our wall clock to get the service's. */
  ms: number;
  /** The largest possible error of `ms` in either direction, in milliseconds. */
  uncertaintyMs: number;
}

/** A moment on both of our clocks. */
export interface Moment {
  wall: number;
  monotonic: number;
}

/** The only form of a date that servers may send today (RFC 9110 section 5.6.7). */
const fixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** A `Date` header has whole seconds. */
const RESOLUTION_MS = 1_000;
/** How fast two clocks may drift apart, as a share of the elapsed time: far more than any maintained clock does. */
const DRIFT = 0.001;
/** A wall clock that moved this far against the monotonic one was set, which invalidates earlier measurements. */
const SET_MS = 1_000;

/** Compares our clock with a server's by the `Date` header of its answers (RFC 9110 section 6.6.1). */
export class ClockComparison {
  readonly #clock: Clock;
  #best: { offset: ClockOffset; at: Moment } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The current moment. */
  moment(): Moment {
    return { wall: this.#clock.now(), monotonic: this.#clock.monotonic() };
  }

  /** Measures by the `date` of an answer to a request that was sent at `sent`. A better measurement is kept until it is old. */
  note(date: string | undefined, sent: Moment): void {
    if (date === undefined || !fixdate.test(date)) return;
    const theirs = Date.parse(date);
    const received = this.moment();
    if (Number.isNaN(theirs) || wasSet(sent, received)) return;
    const took = received.monotonic - sent.monotonic;
    const offset = {
      ms: theirs + RESOLUTION_MS / 2 - (received.wall - took / 2),
      uncertaintyMs: RESOLUTION_MS / 2 + took / 2,
    };
    const present = this.get();
    if (!present || offset.uncertaintyMs <= present.uncertaintyMs) this.#best = { offset, at: received };
  }

  /** The offset now. Undefined before the first measurement, and after our clock was set. */
  get(): ClockOffset | undefined {
    if (!this.#best) return undefined;
    const { offset, at } = this.#best;
    const now = this.moment();
    if (wasSet(at, now)) return undefined;
    return { ...offset, uncertaintyMs: offset.uncertaintyMs + (now.monotonic - at.monotonic) * DRIFT };
  }
}

function wasSet(before: Moment, after: Moment): boolean {
  return Math.abs(after.wall - before.wall - (after.monotonic - before.monotonic)) > SET_MS;
}
