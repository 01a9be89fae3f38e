/**
 * This file alone reads the time or arms a timer. Everything else takes a `Clock`. Tests can thus run years in
 * milliseconds, and no timer overflows: Node fires a `setTimeout` of more than 2^31-1 ms at once.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. May jump forwards and backwards. */
  now(): number;
  /** Milliseconds on a clock that never goes backwards. It stands still while the machine sleeps. */
  monotonic(): number;
  /** Calls `fn` once after `ms` milliseconds, however many; less than 0 counts as 0. Returns a function that cancels it. */
  timer(ms: number, fn: () => void): () => void;
  /** Resolves after `ms`; rejects with the signal's reason if it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A moment on both clocks, in milliseconds. */
export interface Instant {
  /** Since the epoch. */
  readonly wall: number;
  readonly monotonic: number;
}

/** The present moment on both clocks. */
export function instant(clock: Pick<Clock, 'now' | 'monotonic'>): Instant {
  return { wall: clock.now(), monotonic: clock.monotonic() };
}

/** Longest delay that Node's timers accept, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The clock of the process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer,
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
};

function timer(ms: number, fn: () => void): () => void {
  let handle: NodeJS.Timeout;
  const arm = (left: number): void => {
    const step = Math.min(Math.max(left, 0), LONGEST_TIMER);
    handle = setTimeout(() => (left > step ? arm(left - step) : fn()), step);
  };
  arm(ms);
  return () => clearTimeout(handle);
}

/** `Clock.sleep` for any clock that has a `timer`. */
export function sleepOn(clock: Pick<Clock, 'timer'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.timer(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A deadline that can be cleared: `signal` aborts with `reason()` after `ms`, or with the parent's reason. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Cancels the timer and stops listening to the parent signal. */
  clear(): void;
}

/** Starts a `Deadline`. Replaces `AbortSignal.timeout`, which does not take a `Clock`. */
export function deadline(clock: Clock, ms: number, reason: () => Error, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const onParent = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) controller.abort(parent.reason);
  const cancel = clock.timer(ms, () => controller.abort(reason()));
  parent?.addEventListener('abort', onParent, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      cancel();
      parent?.removeEventListener('abort', onParent);
    },
  };
}
