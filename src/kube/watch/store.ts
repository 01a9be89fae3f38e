import { asError } from '../../lib/errors.ts';
import { StoreIndex } from './store-index.ts';

/** A change of the store. For a delete, `object` is the last version. */
export interface StoreEvent<P> {
  type: 'apply' | 'delete';
  key: string;
  object: P;
  /** The version that an apply replaced. Absent for a new object, even if it has the name of an old one. */
  previous?: P;
}

export type StoreListener<P> = (event: StoreEvent<P>) => void;

/** An object in the store: its projection, and its identity and version. */
export interface StoreEntry<P> {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly object: P;
}

interface Stored<P> extends StoreEntry<P> {
  readonly part: object;
}

/** The write side of one part of the store: a namespace, or all of it. Only its reflector uses it. */
export interface StoreWriter<P> {
  /** The part's entry for the key. */
  current(key: string): StoreEntry<P> | undefined;
  apply(entry: StoreEntry<P>): void;
  /** Does nothing if the key is absent. */
  delete(key: string): void;
  /** Replaces the content of the part with `entries`. Readers see all of it before the first event is delivered. */
  replace(entries: Iterable<StoreEntry<P>>): void;
}

/**
 * The objects of one kind as last seen, as projections. They are shared, so nobody may change one. Listeners are called synchronously
 * and must be quick. If one throws, the error is reported and the others are still called.
 */
export class Store<P> {
  readonly #stored = new Map<string, Stored<P>>();
  readonly #listeners = new Set<StoreListener<P>>();
  readonly #indexes = new Map<string, StoreIndex<P>>();
  readonly #unsynced = new Set<object>();
  readonly #waiting = new Set<() => void>();
  readonly #onError: (error: Error) => void;
  #opened = false;

  /** `onError` gets what a listener or an indexer throws. */
  constructor(onError: (error: Error) => void = () => undefined) {
    this.#onError = onError;
  }

  get(key: string): P | undefined {
    return this.#stored.get(key)?.object;
  }

  keys(): IterableIterator<string> {
    return this.#stored.keys();
  }

  *values(): IterableIterator<P> {
    for (const stored of this.#stored.values()) yield stored.object;
  }

  get size(): number {
    return this.#stored.size;
  }

  /** Whether every part has been listed once. Stays true if the API server is unreachable later. */
  get synced(): boolean {
    return this.#opened && this.#unsynced.size === 0;
  }

  /** Resolves once `synced` is true. Rejects with the signal's reason. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.synced) return;
    await new Promise<void>((resolve, reject) => {
      const onSync = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(onSync);
        reject(asError(signal.reason));
      };
      this.#waiting.add(onSync);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Calls `listener` for each change from now on; for existing objects use `values`. Returns a function that unsubscribes. */
  subscribe(listener: StoreListener<P>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Indexes the objects by the values that `indexer` returns. It must be pure. Throws a TypeError if the name is taken. */
  addIndex(name: string, indexer: (object: P) => readonly string[]): void {
    if (this.#indexes.has(name)) throw new TypeError(`Expected a new index, got "${name}" again`);
    const index = new StoreIndex(indexer, this.#onError);
    for (const { key, object } of this.#stored.values()) index.add(key, object);
    this.#indexes.set(name, index);
  }

  /** The objects that the index lists under `value`, in no particular order. Throws a TypeError for an unknown index. */
  byIndex(name: string, value: string): readonly P[] {
    return this.keysByIndex(name, value).map((key) => this.#mustGet(key).object);
  }

  /** Like `byIndex`, but returns the keys. */
  keysByIndex(name: string, value: string): readonly string[] {
    const index = this.#indexes.get(name);
    if (!index) throw new TypeError(`Expected a known index, got "${name}"`);
    return index.keys(value);
  }

  /** Opens a part for its only writer. The store is synced once every part has been replaced. */
  openPart(): StoreWriter<P> {
    const part = {};
    this.#opened = true;
    this.#unsynced.add(part);
    const own = (key: string): Stored<P> | undefined => {
      const stored = this.#stored.get(key);
      return stored?.part === part ? stored : undefined;
    };
    return {
      current: own,
      apply: (entry) => this.#emit(this.#put(part, entry)),
      delete: (key) => {
        const stored = own(key);
        if (stored) this.#emit(this.#remove(stored));
      },
      replace: (entries) => this.#replace(part, entries),
    };
  }

  #replace(part: object, entries: Iterable<StoreEntry<P>>): void {
    const events: StoreEvent<P>[] = [];
    const kept = new Set<string>();
    const wanted = [...entries];
    for (const { key } of wanted) kept.add(key);
    for (const stored of this.#stored.values())
      if (stored.part === part && !kept.has(stored.key)) events.push(...this.#remove(stored));
    for (const entry of wanted) events.push(...this.#put(part, entry));
    if (this.#unsynced.delete(part) && this.synced) this.#release();
    this.#emit(events);
  }

  /** Stores `entry` and returns its events: none for a known version, two if another object has taken the name. */
  #put(part: object, entry: StoreEntry<P>): StoreEvent<P>[] {
    const { key, uid, resourceVersion, object } = entry;
    const former = this.#stored.get(key);
    if (former?.uid === uid && former.resourceVersion === resourceVersion) return [];
    const events = former && former.uid !== uid ? this.#remove(former) : [];
    const previous = former?.uid === uid ? former.object : undefined;
    for (const index of this.#indexes.values()) {
      if (previous !== undefined) index.remove(key, previous);
      index.add(key, object);
    }
    this.#stored.set(key, { key, uid, resourceVersion, object, part });
    events.push({ type: 'apply', key, object, ...(previous === undefined ? {} : { previous }) });
    return events;
  }

  #remove(stored: Stored<P>): StoreEvent<P>[] {
    this.#stored.delete(stored.key);
    for (const index of this.#indexes.values()) index.remove(stored.key, stored.object);
    return [{ type: 'delete', key: stored.key, object: stored.object }];
  }

  #emit(events: readonly StoreEvent<P>[]): void {
    for (const event of events) {
      for (const listener of this.#listeners) {
        try {
          listener(event);
        } catch (error) {
          this.#onError(asError(error));
        }
      }
    }
  }

  #release(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  #mustGet(key: string): Stored<P> {
    const stored = this.#stored.get(key);
    if (!stored) throw new Error(`Expected the store to have "${key}", which an index lists`);
    return stored;
  }
}
