/** Results of one asynchronous call for each key. Callers of the same key share the call, and a failure is not kept. */
export class OncePerKey<K, V> {
  readonly #results = new Map<K, Promise<V>>();
  readonly #settled = new Set<K>();

  /** The result for `key`, from `call` unless there is one already or one is under way. Rejects with the error of `call`. */
  get(key: K, call: () => Promise<V>): Promise<V> {
    const known = this.#results.get(key);
    if (known) return known;
    const result = call().catch((error: unknown) => {
      this.#results.delete(key);
      throw error;
    });
    this.#results.set(key, result);
    void result.then(
      () => this.#settled.add(key),
      () => undefined,
    );
    return result;
  }

  /** Whether `get` has the result for `key` already, so that nobody waits for it. */
  has(key: K): boolean {
    return this.#settled.has(key);
  }
}
