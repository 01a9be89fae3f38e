import { asError } from '../../lib/errors.ts';

/** Keys by the values that an indexer returns for their objects. */
export class StoreIndex<P> {
  readonly #filed = new Map<string, Set<string>>();
  readonly #indexer: (object: P) => readonly string[];
  readonly #onError: (error: Error) => void;

  constructor(indexer: (object: P) => readonly string[], onError: (error: Error) => void) {
    this.#indexer = indexer;
    this.#onError = onError;
  }

  keys(value: string): string[] {
    return [...(this.#filed.get(value) ?? [])];
  }

  add(key: string, object: P): void {
    for (const value of this.#valuesOf(object)) {
      const keys = this.#filed.get(value);
      if (keys) keys.add(key);
      else this.#filed.set(value, new Set([key]));
    }
  }

  remove(key: string, object: P): void {
    for (const value of this.#valuesOf(object)) {
      const keys = this.#filed.get(value);
      if (keys?.delete(key) && keys.size === 0) this.#filed.delete(value);
    }
  }

  /** If the indexer throws, the object is not indexed: it must not stop the reflector. */
  #valuesOf(object: P): readonly string[] {
    try {
      return this.#indexer(object);
    } catch (error) {
      this.#onError(asError(error));
      return [];
    }
  }
}
