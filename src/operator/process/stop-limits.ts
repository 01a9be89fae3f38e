import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { UnderWay } from './under-way.ts';
import type { Stop } from './stop.ts';

/** How long running work may go on after a stop began: longer than a call to TinyCert, which ends within 20 s. */
export const GENTLE_STOP_MS = 21_000;
/** How long work that has been aborted may take to end. With the time before it is less than a pod's default grace period of 30 s. */
export const FORCED_STOP_MS = 3_000;
/** The latest end of a call to CAcert, after a stop began: its own limit, and the time from the stop until it was sent. */
export const CACERT_CALL_STOP_MS = 130_000;
/** How long the certificate of such a call may take to be published. In all less than a grace period of 150 s. */
export const CACERT_PUBLISH_MS = 12_000;

export interface StopLimitsOptions {
  clock: Clock;
  log: Logger;
  /** What a person asks for, by signals. */
  signals: Stop;
  /** Aborts when the operator ends by itself, because it failed. The same limits apply. */
  failed: AbortSignal;
  /** The calls that no recovery could make good: signing at CAcert. */
  calls: Pick<UnderWay, 'count' | 'none'>;
}

/** A stop that ends, whatever hangs. */
export interface StopLimits {
  /** The stages, where the second also comes by itself. */
  readonly stop: Stop;
  /** Resolves when the process has to end, whatever still runs. */
  readonly over: Promise<void>;
  /** Cancels the limits once everything has ended. */
  clear: () => void;
}

/**
 * Puts limits to a stop, counted from its beginning. Running work is aborted after `GENTLE_STOP_MS`, or if a call to CAcert is under
 * way, once that has ended and its certificate had time to be published: CAcert signs nothing twice and lists nothing.
 */
export function limitStop({ clock, log, signals, failed, calls }: StopLimitsOptions): StopLimits {
  const forced = new AbortController();
  const cleared = new AbortController();
  const forcedOrCleared = AbortSignal.any([signals.forced, cleared.signal]);

  /** Resolves when running work has to be aborted. */
  async function gentleStage(): Promise<void> {
    await clock.sleep(GENTLE_STOP_MS, forcedOrCleared);
    if (calls.count === 0) return;
    log.info('Waiting for a call to CAcert, which cannot be made good');
    const limit = clock.sleep(CACERT_CALL_STOP_MS - GENTLE_STOP_MS, forcedOrCleared);
    await Promise.race([calls.none(), limit]);
    await clock.sleep(CACERT_PUBLISH_MS, forcedOrCleared);
  }

  async function limit(): Promise<void> {
    await gentleStage().catch(() => undefined);
    if (cleared.signal.aborted) return;
    if (!signals.forced.aborted) log.warn('What still runs is aborted, since the stop has taken too long');
    forced.abort();
    await clock.sleep(FORCED_STOP_MS, cleared.signal).then(over.resolve, () => undefined);
  }

  const over = Promise.withResolvers<void>();
  const begin = AbortSignal.any([signals.gentle, failed]);
  const onBegin = (): void => void limit();
  if (begin.aborted) onBegin();
  else begin.addEventListener('abort', onBegin, { once: true });
  return {
    stop: { gentle: signals.gentle, forced: AbortSignal.any([signals.forced, forced.signal]) },
    over: over.promise,
    clear: () => {
      begin.removeEventListener('abort', onBegin);
      cleared.abort();
    },
  };
}
