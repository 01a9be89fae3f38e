import { asError } from '../../lib/errors.ts';
import { StoreIndex } from './store-index.ts';

/** A change of the store. `object` of a delete is what was there last. */
export interface StoreEvent<P> {
  type: 'apply' | 'delete';
  key: string;
  object: P;
  /** What an apply replaced; absent for a new object, also when it has the name of an old one. */
  previous?: P;
}

export type StoreListener<P> = (event: StoreEvent<P>) => void;

/** What the writer knows of an object: its projection, and which version of which object it is. */
export interface StoreEntry<P> {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly object: P;
}

interface Held<P> extends StoreEntry<P> {
  readonly part: object;
}

/** The write side of one part of the store (a namespace, or all of it). Only its reflector has it. */
export interface StoreWriter<P> {
  /** What the part holds under the key. */
  current(key: string): StoreEntry<P> | undefined;
  apply(entry: StoreEntry<P>): void;
  /** Does nothing where the key is absent. */
  delete(key: string): void;
  /** Makes the part hold exactly `entries`. Readers see it before the first event is delivered. */
  replace(entries: Iterable<StoreEntry<P>>): void;
}

/**
 * The objects of one kind as last seen, as projections. Objects are shared: nobody may change one. Listeners are called synchronously
 * and must be quick; one that throws is reported and the others are called all the same.
 */
export class Store<P> {
  readonly #held = new Map<string, Held<P>>();
  readonly #listeners = new Set<StoreListener<P>>();
  readonly #indexes = new Map<string, StoreIndex<P>>();
  readonly #unsynced = new Set<object>();
  readonly #waiting = new Set<() => void>();
  readonly #onError: (error: Error) => void;
  #opened = false;

  /** `onError` takes what a listener or an indexer threw. */
  constructor(onError: (error: Error) => void = () => undefined) {
    this.#onError = onError;
  }

  get(key: string): P | undefined {
    return this.#held.get(key)?.object;
  }

  keys(): IterableIterator<string> {
    return this.#held.keys();
  }

  *values(): IterableIterator<P> {
    for (const held of this.#held.values()) yield held.object;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Whether every part has been listed once. Stays true when the API server is out of reach later. */
  get synced(): boolean {
    return this.#opened && this.#unsynced.size === 0;
  }

  /** Resolves once `synced`; rejects with the signal's reason. */
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

  /** Calls `listener` for each change from now on; `values` has what is there already. Returns the way to end it. */
  subscribe(listener: StoreListener<P>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps the objects findable by the values that `indexer` gives for them. It must be pure. */
  addIndex(name: string, indexer: (object: P) => readonly string[]): void {
    if (this.#indexes.has(name)) throw new TypeError(`Expected a new index, got "${name}" again`);
    const index = new StoreIndex(indexer, this.#onError);
    for (const { key, object } of this.#held.values()) index.add(key, object);
    this.#indexes.set(name, index);
  }

  /** The objects that the index files under `value`, in no order. */
  byIndex(name: string, value: string): readonly P[] {
    return this.keysByIndex(name, value).map((key) => this.#mustGet(key).object);
  }

  /** Their keys. */
  keysByIndex(name: string, value: string): readonly string[] {
    const index = this.#indexes.get(name);
    if (!index) throw new TypeError(`Expected a known index, got "${name}"`);
    return index.keys(value);
  }

  /** Opens a part for its one writer. The store is synced once every part has been replaced. */
  openPart(): StoreWriter<P> {
    const part = {};
    this.#opened = true;
    this.#unsynced.add(part);
    const own = (key: string): Held<P> | undefined => {
      const held = this.#held.get(key);
      return held?.part === part ? held : undefined;
    };
    return {
      current: own,
      apply: (entry) => this.#emit(this.#put(part, entry)),
      delete: (key) => {
        const held = own(key);
        if (held) this.#emit(this.#remove(held));
      },
      replace: (entries) => this.#replace(part, entries),
    };
  }

  #replace(part: object, entries: Iterable<StoreEntry<P>>): void {
    const events: StoreEvent<P>[] = [];
    const kept = new Set<string>();
    const wanted = [...entries];
    for (const { key } of wanted) kept.add(key);
    for (const held of this.#held.values())
      if (held.part === part && !kept.has(held.key)) events.push(...this.#remove(held));
    for (const entry of wanted) events.push(...this.#put(part, entry));
    if (this.#unsynced.delete(part) && this.synced) this.#release();
    this.#emit(events);
  }

  /** The events of putting `entry`: none for a version that is held already, two where another object has taken the name. */
  #put(part: object, entry: StoreEntry<P>): StoreEvent<P>[] {
    const { key, uid, resourceVersion, object } = entry;
    const former = this.#held.get(key);
    if (former?.uid === uid && former.resourceVersion === resourceVersion) return [];
    const events = former && former.uid !== uid ? this.#remove(former) : [];
    const previous = former?.uid === uid ? former.object : undefined;
    for (const index of this.#indexes.values()) {
      if (previous !== undefined) index.remove(key, previous);
      index.add(key, object);
    }
    this.#held.set(key, { key, uid, resourceVersion, object, part });
    events.push({ type: 'apply', key, object, ...(previous === undefined ? {} : { previous }) });
    return events;
  }

  #remove(held: Held<P>): StoreEvent<P>[] {
    this.#held.delete(held.key);
    for (const index of this.#indexes.values()) index.remove(held.key, held.object);
    return [{ type: 'delete', key: held.key, object: held.object }];
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

  #mustGet(key: string): Held<P> {
    const held = this.#held.get(key);
    if (!held) throw new Error('An index names an object that the store does not hold.');
    return held;
  }
}
