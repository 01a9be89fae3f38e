/** Where calls wait until they are released. */
export class Gate {
  readonly #waiting = new Set<() => void>();

  get held(): number {
    return this.#waiting.size;
  }

  /** Resolves at the next `release`; rejects with the signal's reason. */
  pass(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = (): void => {
        this.#waiting.delete(go);
        reject(signal.reason as Error);
      };
      const go = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(go);
    });
  }

  /** Releases every waiting call; returns how many. */
  release(): number {
    const going = [...this.#waiting];
    this.#waiting.clear();
    for (const go of going) go();
    return going.length;
  }
}
