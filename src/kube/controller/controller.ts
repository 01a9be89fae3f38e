import { randomUUID } from 'node:crypto';
import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import { type Clock, deadline } from '../../lib/clock.ts';
import { AppError, TerminalError, asError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { ControllerMetrics, ControllerObserver, ReconcileOutcome } from '../../metrics/controller.ts';
import { isConflict } from '../errors.ts';
import { parseKey } from '../objects.ts';
import type { QueueItem, WorkQueue } from './queue.ts';

/** When to reconcile the key again, if at all. If both are set, the earlier one counts. */
export interface ReconcileResult {
  /** Milliseconds from now; at least 100. */
  requeueAfterMs?: number | undefined;
  /** Wall-clock milliseconds since the epoch; at least a second from now. */
  requeueAt?: number | undefined;
}

export interface ReconcileContext {
  /** Aborts when the reconcile exceeds its time limit, or at the second stage of a shutdown. */
  signal: AbortSignal;
  /** Adds controller, key and reconcileID to each line. */
  log: Logger;
  reconcileID: string;
  /** How many reconciles of the key before this one failed in a row; conflicts do not count. */
  failures: number;
}

/**
 * Brings the state for one key to what its spec asks for. It gets the key and not what happened to it. A thrown `TerminalError` is not
 * retried; any other error is, with backoff.
 */
export type Reconcile = (key: string, context: ReconcileContext) => Promise<ReconcileResult | void>;

export interface ControllerOptions {
  name: string;
  /** The controller's own queue; it is shut down with the controller. */
  queue: WorkQueue;
  /** How many keys are reconciled at once. */
  concurrency: number;
  reconcile: Reconcile;
  clock: Clock;
  log: Logger;
  metrics: ControllerMetrics;
  /** Delay after failures in a row of one key. Default: `RECONCILE_BACKOFF`. */
  backoff?: BackoffOptions;
  /** Overrides the backoff for some errors: a delay in milliseconds, `terminal` for no retry, undefined for the backoff. */
  backoffFor?: (error: Error, failures: number) => number | 'terminal' | undefined;
  /** Time limit for one reconcile, in milliseconds. Default: 5 min. */
  reconcileTimeoutMs?: number;
  /** The second stage of a shutdown: aborts running reconciles. */
  forceSignal?: AbortSignal;
}

/** A reconcile exceeded its time limit. */
export class ReconcileTimeoutError extends AppError {
  constructor() {
    super('ReconcileTimeout', 'The reconcile exceeded its time limit.');
  }
}

/** Delay before a key is reconciled again after an unexpected error: 1 s doubling to 8 min. */
export const RECONCILE_BACKOFF: BackoffOptions = { base: 1000, max: 480_000, jitter: 0.1 };
/** The same after a conflict, 100 ms doubling to 5 s: the cache is behind, and the missing event is on its way. */
export const CONFLICT_BACKOFF: BackoffOptions = { base: 100, max: 5000, jitter: 0.2 };
const TIMEOUT_MS = 300_000;
/** Shortest delay of `requeueAfterMs`, in milliseconds: 0 must not cause a tight loop while the cache catches up. */
export const SHORTEST_REQUEUE_MS = 100;
/** Shortest delay of `requeueAt`, in milliseconds: a time that has passed must not cause a tight loop either. */
export const PAST_REQUEUE_MS = 1000;
/** After this many reconciles a worker lets the event loop turn, so keys with nothing to do cannot starve sockets. */
const TURN_EVERY = 16;

/**
 * Runs a controller's workers until `signal` aborts. Resolves when the running reconciles have finished; `forceSignal` aborts them.
 * A worker goes on whatever a reconcile throws.
 */
export async function runController(options: ControllerOptions, signal: AbortSignal): Promise<void> {
  const { queue, concurrency, name, metrics } = options;
  const observer = metrics.attach(name);
  observer.workers(concurrency);
  const controller = new Controller(options, observer);
  const stop = new AbortController();
  const workersSignal = AbortSignal.any([signal, stop.signal]);
  try {
    await Promise.all(Array.from({ length: concurrency }, () => controller.work(workersSignal)));
  } finally {
    stop.abort();
    await queue.shutDown();
    observer.workers(0);
  }
}

class Controller {
  readonly #options: ControllerOptions;
  readonly #observer: ControllerObserver;
  readonly #log: Logger;
  /** Failures in a row, and conflicts in a row, by key. */
  readonly #failures = new Map<string, number>();
  readonly #conflicts = new Map<string, number>();

  constructor(options: ControllerOptions, observer: ControllerObserver) {
    this.#options = options;
    this.#observer = observer;
    this.#log = options.log.child({ controller: options.name });
    // The retry that would have ended the count goes with its key.
    options.queue.onForgotten((key) => {
      this.#failures.delete(key);
      this.#conflicts.delete(key);
    });
  }

  /** One worker: takes keys until `signal` aborts. */
  async work(signal: AbortSignal): Promise<void> {
    const { queue } = this.#options;
    for (let count = 1; ; count += 1) {
      const item = await nextUnless(queue, signal);
      if (!item) return;
      try {
        await this.#process(item);
      } finally {
        queue.done(item.key);
      }
      if (count % TURN_EVERY === 0) await eventLoopTurn();
    }
  }

  async #process({ key, reasons }: QueueItem): Promise<void> {
    const { clock, reconcile, reconcileTimeoutMs = TIMEOUT_MS, forceSignal } = this.#options;
    const reconcileID = randomUUID();
    const log = this.#log.child({ ...parseKey(key), reconcileID });
    const started = clock.monotonic();
    const onTimeout = (): Error => {
      this.#observer.timedOut();
      return new ReconcileTimeoutError();
    };
    const limit = deadline(clock, reconcileTimeoutMs, onTimeout, forceSignal);
    this.#observer.started();
    let outcome: ReconcileOutcome = 'error';
    try {
      log.debug({ reasons }, 'Reconciling');
      const failures = this.#failures.get(key) ?? 0;
      const context = { signal: limit.signal, log, reconcileID, failures };
      outcome = this.#settle(key, (await reconcile(key, context)) ?? {});
    } catch (thrown) {
      outcome = this.#fail(key, asError(thrown), log);
    } finally {
      limit.clear();
      this.#observer.finished(outcome, (clock.monotonic() - started) / 1000);
    }
  }

  #settle(key: string, { requeueAfterMs, requeueAt }: ReconcileResult): ReconcileOutcome {
    const { queue, clock } = this.#options;
    const reason = 'requeue';
    if (requeueAfterMs !== undefined)
      queue.add(key, { afterMs: Math.max(requeueAfterMs, SHORTEST_REQUEUE_MS), reason });
    if (requeueAt !== undefined) {
      // A short wait is counted on the monotonic clock, so no jump of the wall clock makes it long.
      if (requeueAt - clock.now() < PAST_REQUEUE_MS) queue.add(key, { afterMs: PAST_REQUEUE_MS, reason });
      else queue.addAt(key, requeueAt, { reason });
    }
    this.#failures.delete(key);
    this.#conflicts.delete(key);
    return requeueAfterMs === undefined && requeueAt === undefined ? 'success' : 'requeue_after';
  }

  #fail(key: string, error: Error, log: Logger): ReconcileOutcome {
    const { queue, forceSignal } = this.#options;
    if (forceSignal?.aborted) {
      log.info({ error }, 'Reconcile aborted by the shutdown');
      return 'error';
    }
    if (isConflict(error)) {
      this.#observer.conflicted();
      queue.retry(key, backoffDelay(CONFLICT_BACKOFF, bump(this.#conflicts, key)), 'conflict');
      log.debug('An object changed during the reconcile; retrying');
      return 'requeue';
    }
    const failures = bump(this.#failures, key);
    this.#observer.failed();
    const retryInMs = this.#delay(error, failures);
    if (retryInMs === 'terminal') {
      this.#observer.failedForGood();
      this.#failures.delete(key);
      log.error({ error }, 'Reconcile failed; retrying only after a change');
      return 'error';
    }
    queue.retry(key, retryInMs, 'backoff');
    log.warn({ error, failures, retryInMs }, 'Reconcile failed; retrying');
    return 'error';
  }

  #delay(error: Error, failures: number): number | 'terminal' {
    const { backoff = RECONCILE_BACKOFF, backoffFor } = this.#options;
    if (error instanceof TerminalError) return 'terminal';
    const wanted = backoffFor?.(error, failures);
    if (wanted === 'terminal') return wanted;
    return wanted !== undefined && Number.isFinite(wanted) ? wanted : backoffDelay(backoff, failures);
  }
}

async function nextUnless(queue: WorkQueue, signal: AbortSignal): Promise<QueueItem | undefined> {
  try {
    return await queue.next(signal);
  } catch (thrown) {
    if (signal.aborted) return undefined;
    throw thrown;
  }
}

function bump(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
