interface Waiter {
  start(): void;
}

/** One lock a key: whoever comes first goes first, and a key that nobody holds costs nothing. */
export class KeyedMutex {
  /** Who waits for each key that is held. */
  readonly #waiting = new Map<string, Set<Waiter>>();

  /** How many keys are held. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Runs `fn` once nobody else holds `key`, and gives its result or error back. If `signal` aborts while waiting, rejects
   * with its reason and never runs `fn`; a running `fn` is not interrupted.
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
