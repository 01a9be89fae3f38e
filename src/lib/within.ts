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
