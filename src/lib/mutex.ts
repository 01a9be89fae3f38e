interface Waiter {
  start(): void;
}

/** One lock per key, first come, first served. A key whose lock is not held costs nothing. */
export class KeyedMutex {
  /** The waiting calls for each key whose lock is held. */
  readonly #waiting = new Map<string, Set<Waiter>>();

  /** Number of keys whose lock is held. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Runs `fn` while holding the lock of `key`, and returns its result or error. If `signal` aborts during the wait, rejects
   * with its reason and never runs `fn`. A running `fn` is not interrupted.
   */
  async run<T>(key: string, fn: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const waiters = this.#waiting.get(key);
    if (waiters) await turn(waiters, signal);
    else this.#waiting.set(key, new Set());
    try {
      return await fn();
    } finally {
      this.#release(key);
    }
  }

  #release(key: string): void {
    const waiters = this.#waiting.get(key);
    const [next] = waiters ?? [];
    if (!next) {
      this.#waiting.delete(key);
      return;
    }
    waiters?.delete(next);
    next.start();
  }
}

function turn(waiters: Set<Waiter>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      waiters.delete(waiter);
      reject(signal?.reason as Error);
    };
    const waiter: Waiter = {
      start() {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    waiters.add(waiter);
  });
}
