import { type Clock, deadline } from './clock.ts';

/**
 * Runs `fn` with a signal that aborts after `ms` or with `parent`. Rejects at that moment, with `late()` or the reason of `parent`,
 * even if `fn` ignores its signal. Whatever `fn` does later has no effect on the result.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  late: () => Error,
  fn: (signal: AbortSignal) => T | Promise<T>,
  parent?: AbortSignal,
): Promise<T> {
  parent?.throwIfAborted();
  const limit = deadline(clock, ms, late, parent);
  const over = new Promise<never>((_, reject) => {
    limit.signal.addEventListener('abort', () => reject(limit.signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([fn(limit.signal), over]);
  } finally {
    limit.clear();
  }
}

/** Settles as `promise` does, or rejects with the signal's reason as soon as that aborts. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** As `unlessAborted`, but after the abort leaves `promise` up to `ms` to come to an end by itself. */
export async function unlessAbortedFor<T>(
  clock: Clock,
  ms: number,
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await unlessAborted(promise, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    const limit = deadline(clock, ms, () => new Error('It does not end.'));
    await unlessAborted(promise, limit.signal).catch(() => undefined);
    limit.clear();
    throw error;
  }
}
