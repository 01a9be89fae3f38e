import { type BackoffOptions, backoffDelay } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Reason } from '../lib/reason.ts';
import type { Failures } from './failures.ts';
import type { Gate } from './gate/gate.ts';
import type { Stops } from './stops.ts';

/** Something between here and the CA that is not the account's fault, as a certificate that is not trusted. */
const OUTAGE: BackoffOptions = { base: 5_000, max: 30_000, jitter: 0.2 };
/** Credentials that the CA refuses: seldom, since an account can be locked, and a new Secret is seen at once. */
const REFUSED: BackoffOptions = { base: 300_000, max: 3_600_000, jitter: 0.1 };
/** What somebody has to mend at the CA. */
const ABSENT: BackoffOptions = { base: 60_000, max: 900_000, jitter: 0.1 };

/** What a check met, as the kind of account understands it. */
export interface CheckFault extends Reason {
  stops: Stops;
  /** The CA refused the credentials. */
  isRefused: boolean;
  /** It never came to a talk with the CA that failed: what is wrong was found in what it sent. */
  isHeard: boolean;
  /** How long the CA asked to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
}

/** How a check of an account went. `requeueAfterMs`: when to check again. */
export type Checked<F> = { requeueAfterMs: number } &
  /** It is too soon to look, or somebody else who has the account does, or the CA asked to wait. */
  (
    | { is: 'stopped' }
    /** The account is there, and something in it is not. */
    | { is: 'absent'; why: Reason }
    /** `isFresh`: nobody was asked, since somebody was a moment ago. */
    | { is: 'ready'; found: F; isFresh: boolean }
    | { is: 'failed'; fault: CheckFault }
  );

export interface CheckOptions<A extends { gate: Gate }, F extends object> {
  account: A;
  /** Who checks it. */
  holder: string;
  generation: number | undefined;
  failures: Failures<A>;
  clock: Clock;
  random?: (() => number) | undefined;
  /** What was found before; while that is fresh nobody is asked. */
  known: F | undefined;
  /** A sound account is looked at this often: credentials may have been withdrawn without a word. */
  again: BackoffOptions;
  look: () => Promise<F | Reason>;
  /** Undefined for what is no failure of a check, which is thrown on. */
  faultOf: (error: unknown) => CheckFault | undefined;
}

/**
 * Looks whether an account can be used, unless its breaker or a rate limit forbids, and tells the gate how that went, for
 * whoever else uses the account.
 */
export async function check<A extends { gate: Gate }, F extends object>(
  options: CheckOptions<A, F>,
): Promise<Checked<F>> {
  const { account, holder, generation, failures, clock, known } = options;
  const { gate } = account;
  const turn = gate.pausedFor > 0 ? ({ go: false, waitMs: gate.pausedFor } as const) : gate.breaker.check();
  if (!turn.go) return { is: 'stopped', requeueAfterMs: turn.waitMs };
  try {
    const isFresh =
      gate.breaker.state !== 'open' && failures.isFresh(holder, account, generation, clock.monotonic());
    const found = known && isFresh ? known : await options.look();
    gate.breaker.checkSucceeded();
    if ('reason' in found && 'message' in found)
      return { is: 'absent', why: found, requeueAfterMs: wait(ABSENT, failures.count(holder), options) };
    if (!isFresh) failures.succeeded(holder, account, generation, clock.monotonic());
    return { is: 'ready', found, isFresh, requeueAfterMs: wait(options.again, 1, options) };
  } catch (error) {
    const fault = options.faultOf(error);
    if (!fault) throw error;
    return afterFault(options, fault);
  } finally {
    turn.end();
  }
}

function afterFault<A extends { gate: Gate }, F extends object>(
  options: CheckOptions<A, F>,
  fault: CheckFault,
): Checked<F> {
  const { failures, holder } = options;
  const { gate } = options.account;
  const { reason, message, stops, isRefused } = fault;
  if (stops === 'pause') {
    gate.limited(fault.retryAfterMs);
    return { is: 'stopped', requeueAfterMs: gate.pausedFor };
  }
  if (stops === 'account') {
    gate.breaker.checkFailed({ reason, message });
    const next = gate.breaker.check();
    if (next.go) next.end();
    return { is: 'failed', fault, requeueAfterMs: next.go ? 0 : next.waitMs };
  }
  const backoff = isRefused ? REFUSED : OUTAGE;
  return { is: 'failed', fault, requeueAfterMs: wait(backoff, failures.count(holder), options) };
}

function wait(
  backoff: BackoffOptions,
  failures: number,
  { random }: { random?: (() => number) | undefined },
): number {
  return backoffDelay(backoff, failures, random);
}
