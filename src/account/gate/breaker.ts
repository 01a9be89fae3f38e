import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reason.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Stops an account when its CA fails, so that a thousand certificates do not run into the same fault one by one. Closed: the
 * account works. Open: nothing is issued until a check succeeds. Half-open: checks succeed, and one issuance at a time may
 * prove that issuing works too. A value; the functions of this file return the next one.
 */
export interface Breaker {
  readonly state: BreakerState;
  /** The fault that opened it; undefined while it is closed. */
  readonly fault: Reason | undefined;
  /** When the next check is due, or was due if half-open; undefined if closed. */
  readonly nextCheck: Instant | undefined;
  /** Consecutive faults while issuing, and consecutive failed checks. */
  readonly issuingFaults: number;
  readonly checkFaults: number;
  /** Whether a check that was granted while it was open is under way. */
  readonly isChecking: boolean;
}

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

export const CLOSED: Breaker = {
  state: 'closed',
  fault: undefined,
  nextCheck: undefined,
  issuingFaults: 0,
  checkFaults: 0,
  isChecking: false,
};

/** An issuance of the present epoch met a fault of the CA. */
export function issuingFailed(breaker: Breaker, fault: Reason, at: Instant, random?: () => number): Breaker {
  if (breaker.state === 'open') return breaker;
  const issuingFaults = breaker.issuingFaults + 1;
  const pause =
    CHECK_AFTER_ISSUING_FAULTS[Math.min(issuingFaults, CHECK_AFTER_ISSUING_FAULTS.length) - 1] ?? 0;
  const ms = backoffDelay({ base: pause, max: pause, jitter: ISSUING_FAULT_JITTER }, 1, random);
  return { ...breaker, state: 'open', fault, nextCheck: later(at, ms), issuingFaults };
}

/** A check met a fault of the CA. */
export function checkFailed(breaker: Breaker, fault: Reason, at: Instant, random?: () => number): Breaker {
  const checkFaults = breaker.checkFaults + 1;
  const ms = backoffDelay(CHECK_AFTER_FAILED_CHECK, checkFaults, random);
  return { ...breaker, state: 'open', fault, nextCheck: later(at, ms), checkFaults };
}

/** A check succeeded. It proves enough unless an issuance had failed. */
export function checkSucceeded(breaker: Breaker): Breaker {
  const next = { ...breaker, checkFaults: 0 };
  if (breaker.state !== 'open') return next;
  return breaker.issuingFaults === 0 ? closed(next) : { ...next, state: 'half-open' };
}

/** An issuance of the present epoch succeeded. */
export function issuingSucceeded(breaker: Breaker): Breaker {
  if (breaker.state === 'open') return breaker;
  const next = { ...breaker, issuingFaults: 0 };
  return breaker.state === 'half-open' ? closed(next) : next;
}

/** Something changed that may have mended the account: the next check is due now. */
export function hurried(breaker: Breaker, at: Instant): Breaker {
  return breaker.state === 'open' ? { ...breaker, nextCheck: at } : breaker;
}

/** A check began, or ended. While the breaker is open, one at a time is granted. */
export function checking(breaker: Breaker, isChecking: boolean): Breaker {
  return { ...breaker, isChecking };
}

/** Milliseconds until a check is granted; 0 if it is granted now. */
export function checkWait({ state, nextCheck, isChecking }: Breaker, at: Instant): number {
  if (state !== 'open' || !nextCheck) return 0;
  const left = nextCheck.monotonic - at.monotonic;
  if (left > 0) return left;
  return isChecking ? CHECK_AFTER_FAILED_CHECK.base : 0;
}

function closed(breaker: Breaker): Breaker {
  return { ...breaker, state: 'closed', fault: undefined, nextCheck: undefined };
}

function later({ monotonic, wall }: Instant, ms: number): Instant {
  return { monotonic: monotonic + ms, wall: wall + ms };
}
