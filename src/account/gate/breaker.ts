import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reason.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

/** Whether to check now, or else how long to wait, in milliseconds. Call `end` once after the check, whatever its outcome. */
export type Check = { go: true; end: () => void } | { go: false; waitMs: number };

/**
 * Milliseconds until the next check, by consecutive faults while issuing; the last value repeats. The first fault may be
 * just a broken connection. A CA that answers every check and fails every issuance must be tried ever more rarely, since
 * each attempt may buy a certificate.
 */
export const CHECK_AFTER_ISSUING_FAULTS: readonly number[] = [1_000, 10_000, 60_000, 240_000];
/** How far these delays are spread. */
export const ISSUING_FAULT_JITTER = 0.2;
/** After a check that failed. Short, since a check costs almost nothing and everything that waits resumes once one succeeds. */
export const CHECK_AFTER_FAILED_CHECK: BackoffOptions = { base: 5_000, max: 30_000, jitter: 0.2 };

/**
 * Stops an account when its CA fails, so that a thousand certificates do not run into the same fault one by one. Closed:
 * the account works. Open: nothing is issued until a check succeeds. Half-open: checks succeed, and one issuance at a time
 * may prove that issuing works too.
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

  /** The fault that opened it; undefined while it is closed. */
  get fault(): Reason | undefined {
    return this.#fault;
  }

  /** How often it has opened. The outcome of work that began in an earlier epoch is ignored. */
  get epoch(): number {
    return this.#epoch;
  }

  /** When the next check is due, or was due if half-open, in milliseconds since the epoch; undefined if closed. */
  get nextCheck(): number | undefined {
    return this.#state === 'closed' ? undefined : this.#untilWall;
  }

  /** An issuance that began in `epoch` met a fault of the CA. */
  issuingFailed(fault: Reason, epoch: number): void {
    if (epoch !== this.#epoch || this.#state === 'open') return;
    this.#issuingFaults += 1;
    const index = Math.min(this.#issuingFaults, CHECK_AFTER_ISSUING_FAULTS.length) - 1;
    const pause = CHECK_AFTER_ISSUING_FAULTS[index] ?? 0;
    const backoff = { base: pause, max: pause, jitter: ISSUING_FAULT_JITTER };
    this.#open(fault, backoffDelay(backoff, 1, this.#random));
  }

  /** A check met a fault of the CA. */
  checkFailed(fault: Reason): void {
    this.#checkFaults += 1;
    this.#open(fault, backoffDelay(CHECK_AFTER_FAILED_CHECK, this.#checkFaults, this.#random));
  }

  /** A check succeeded. */
  checkSucceeded(): void {
    this.#checkFaults = 0;
    if (this.#state !== 'open') return;
    if (this.#issuingFaults === 0) this.#close();
    else this.#become('half-open');
  }

  /** An issuance that began in `epoch` succeeded. */
  issuingSucceeded(epoch: number): void {
    if (epoch !== this.#epoch || this.#state === 'open') return;
    this.#issuingFaults = 0;
    if (this.#state === 'half-open') this.#close();
  }

  /** Asks for permission to check. While the breaker is open, one check at a time is granted, once the wait is over. */
  check(): Check {
    if (this.#state !== 'open') return { go: true, end: () => undefined };
    const left = this.#until - this.#clock.monotonic();
    if (left > 0) return { go: false, waitMs: left };
    if (this.#checking) return { go: false, waitMs: CHECK_AFTER_FAILED_CHECK.base };
    this.#checking = true;
    return {
      go: true,
      end: () => {
        this.#checking = false;
      },
    };
  }

  /** Makes the next check due now: something changed that may have fixed the account. */
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
