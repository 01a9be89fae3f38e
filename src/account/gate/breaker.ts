import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reason.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

/** Whether to look now; if not, how long to wait (others may look meanwhile). `end` is called once, whatever was found. */
export type Check = { go: true; end: () => void } | { go: false; waitMs: number };

/**
 * Milliseconds until the next look, by faults in a row that were met while issuing. The first may be a broken connection
 * and no more. A CA that answers every check and fails every issuance must not be asked again and again, since each try
 * may buy something.
 */
const AFTER_ISSUING = [1_000, 10_000, 60_000, 240_000];
/** A look that fails costs next to nothing, and all that waits goes on as soon as one succeeds. */
const AFTER_CHECK: BackoffOptions = { base: 5_000, max: 30_000, jitter: 0.2 };

/**
 * Stops an account when its CA fails, whoever met the fault, so that a thousand certificates do not find it out one by
 * one. Closed: all is well. Open: nobody asks for anything until one check has succeeded. Half-open: the checks succeed,
 * and one issuance at a time may show that issuing does too.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #random: (() => number) | undefined;
  readonly #onChange: () => void;
  #state: BreakerState = 'closed';
  #fault: Reason | undefined;
  #epoch = 0;
  #until = 0;
  #untilWall = 0;
  #issuingFaults = 0;
  #checkFaults = 0;
  #checking = false;

  constructor(options: { clock: Clock; random?: (() => number) | undefined; onChange?: () => void }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#onChange = options.onChange ?? (() => undefined);
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** What opened it; undefined while it is closed. */
  get fault(): Reason | undefined {
    return this.#fault;
  }

  /** Counts how often it opened. Work begun before the last time says nothing about the time after. */
  get epoch(): number {
    return this.#epoch;
  }

  /** When it will be looked again, or was before this trial, in milliseconds since the epoch; undefined if closed. */
  get nextCheck(): number | undefined {
    return this.#state === 'closed' ? undefined : this.#untilWall;
  }

  /** Somebody who began in `epoch` met a fault while issuing. */
  issuingFailed(fault: Reason, epoch: number): void {
    if (epoch !== this.#epoch || this.#state === 'open') return;
    this.#issuingFaults += 1;
    const pause = AFTER_ISSUING[Math.min(this.#issuingFaults, AFTER_ISSUING.length) - 1] ?? 0;
    this.#open(fault, backoffDelay({ base: pause, max: pause, jitter: 0.2 }, 1, this.#random));
  }

  /** A check met a fault. */
  checkFailed(fault: Reason): void {
    this.#checkFaults += 1;
    this.#open(fault, backoffDelay(AFTER_CHECK, this.#checkFaults, this.#random));
  }

  /** A check succeeded. */
  checkSucceeded(): void {
    this.#checkFaults = 0;
    if (this.#state !== 'open') return;
    if (this.#issuingFaults === 0) this.#close();
    else this.#become('half-open');
  }

  /** Somebody who began in `epoch` got all of a certificate. */
  issuingSucceeded(epoch: number): void {
    if (epoch !== this.#epoch || this.#state === 'open') return;
    this.#issuingFaults = 0;
    if (this.#state === 'half-open') this.#close();
  }

  /** Asks for the right to look. While it is open one at a time has it, once the wait is over; else everybody. */
  check(): Check {
    if (this.#state !== 'open') return { go: true, end: () => undefined };
    const left = this.#until - this.#clock.monotonic();
    if (left > 0) return { go: false, waitMs: left };
    if (this.#checking) return { go: false, waitMs: AFTER_CHECK.base };
    this.#checking = true;
    return {
      go: true,
      end: () => {
        this.#checking = false;
      },
    };
  }

  /** Somebody changed something, so that it is worth a look at once. */
  hurry(): void {
    if (this.#state !== 'open') return;
    this.#until = this.#clock.monotonic();
    this.#untilWall = this.#clock.now();
    this.#onChange();
  }

  #open(fault: Reason, ms: number): void {
    if (this.#state !== 'open') this.#epoch += 1;
    this.#fault = fault;
    this.#until = this.#clock.monotonic() + ms;
    this.#untilWall = this.#clock.now() + ms;
    this.#become('open');
  }

  #close(): void {
    this.#fault = undefined;
    this.#become('closed');
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#onChange();
  }
}
