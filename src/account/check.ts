import { CAcertError } from '../cacert/index.ts';
import { type BackoffOptions, backoffDelay } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Reason } from '../lib/reason.ts';
import { TinyCertError } from '../tinycert/index.ts';
import type { Failures } from './failures.ts';
import type { Gate } from './gate/gate.ts';
import { type Stops, stopsOf } from './stops.ts';

/** After a check that failed on the way to the CA and by no fault of the account, as on an untrusted certificate. */
export const CHECK_AFTER_OUTAGE: BackoffOptions = { base: 5_000, max: 30_000, jitter: 0.2 };
/**
 * After the CA refused the credentials. Rarely, since repeated refusals can lock an account, and a changed Secret is noticed
 * at once.
 */
export const CHECK_AFTER_REFUSAL: BackoffOptions = { base: 300_000, max: 3_600_000, jitter: 0.1 };
/** After the account was found to lack something that a person has to fix at the CA. */
export const CHECK_AFTER_ABSENCE: BackoffOptions = { base: 60_000, max: 900_000, jitter: 0.1 };

/** Why a check failed. */
export interface CheckFault extends Reason {
  stops: Stops;
  /** The CA refused the credentials. */
  isRefused: boolean;
  /** The CA answered, and the fault lies in the content of the answer. */
  isInAnswer: boolean;
  /** How long the CA asked to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
}

/** How a check of an account went. `requeueAfterMs`: when to check again. */
export type Checked<F> = { requeueAfterMs: number } &
  /** No check was due: it is too soon, another user of the account is checking, or the CA asked to wait. */
  (
    | { is: 'stopped' }
    /** The account works but lacks something that the resource names. */
    | { is: 'absent'; why: Reason }
    /** `isFresh`: the last check was so recent that the CA was not asked again. */
    | { is: 'ready'; found: F; isFresh: boolean }
    | { is: 'failed'; fault: CheckFault }
  );

export interface CheckOptions<A extends { gate: Gate }, F extends object> {
  account: A;
  /** Key of the resource that checks. */
  holder: string;
  generation: number | undefined;
  failures: Failures<A>;
  clock: Clock;
  random?: (() => number) | undefined;
  /** What the last check found; returned without asking the CA while it is fresh. */
  known: F | undefined;
  /** How often to check an account that works: its credentials may be withdrawn without notice. */
  interval: BackoffOptions;
  /** Asks the CA. Resolves to a reason if the account lacks something. */
  probe: () => Promise<F | Reason>;
  /** Undefined for an error that is no failed check; the error is rethrown then. */
  faultOf: (error: unknown) => CheckFault | undefined;
}

/**
 * Checks whether an account can be used, unless its breaker or a rate limit forbids it, and reports the outcome to the gate
 * for all users of the account.
 */
export async function check<A extends { gate: Gate }, F extends object>(
  options: CheckOptions<A, F>,
): Promise<Checked<F>> {
  const { account, holder, generation, failures, clock, known } = options;
  const { gate } = account;
  const turn = gate.pausedFor > 0 ? ({ go: false, waitMs: gate.pausedFor } as const) : gate.check();
  if (!turn.go) return { is: 'stopped', requeueAfterMs: turn.waitMs };
  try {
    const isRecent =
      gate.breaker.state !== 'open' && failures.isFresh(holder, account, generation, clock.monotonic());
    const fresh = isRecent ? known : undefined;
    const found = fresh ?? (await options.probe());
    gate.checkSucceeded();
    if ('reason' in found && 'message' in found) {
      const requeueAfterMs = wait(CHECK_AFTER_ABSENCE, failures.count(holder), options);
      return { is: 'absent', why: found, requeueAfterMs };
    }
    const isFresh = fresh !== undefined;
    if (!isFresh) failures.succeeded(holder, account, generation, clock.monotonic());
    return { is: 'ready', found, isFresh, requeueAfterMs: wait(options.interval, 1, options) };
  } catch (error) {
    const fault = options.faultOf(error);
    if (!fault) throw error;
    return afterFault(options, fault);
  } finally {
    turn.end();
  }
}

/** The fault of a check that ended with an error of a CA's client; undefined for any other error. */
export function clientFault(error: unknown): CheckFault | undefined {
  if (!(error instanceof TinyCertError || error instanceof CAcertError)) return undefined;
  const { code, message, detail, kind, retryAfterMs } = error;
  return {
    reason: code,
    message: detail === undefined ? message : `${message} (${detail})`,
    stops: stopsOf(error),
    isRefused: kind === 'credentials',
    isInAnswer: false,
    retryAfterMs,
  };
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
    gate.checkFailed({ reason, message });
    const next = gate.check();
    if (next.go) next.end();
    return { is: 'failed', fault, requeueAfterMs: next.go ? 0 : next.waitMs };
  }
  const backoff = isRefused ? CHECK_AFTER_REFUSAL : CHECK_AFTER_OUTAGE;
  return { is: 'failed', fault, requeueAfterMs: wait(backoff, failures.count(holder), options) };
}

function wait(
  backoff: BackoffOptions,
  failures: number,
  { random }: { random?: (() => number) | undefined },
): number {
  return backoffDelay(backoff, failures, random);
}
