import { keyOf, type KubeObject } from '../kube/objects.ts';
import type { Store, StoreEvent } from '../kube/watch/store.ts';
import { asError } from '../lib/errors.ts';

/** A list of all objects of one kind, and the version that it shows. */
interface Listed {
  items: readonly KubeObject[];
  resourceVersion: string;
}

/**
 * Resolves once a store is at least as new as a list that is made now: a warm cache counts only then (`takeoverLists`). Versions are
 * compared as numbers, which Kubernetes allows for objects of one kind. Rejects with the error of the list, or the signal's reason.
 */
export async function caughtUp(
  store: Pick<Store<KubeObject>, 'values' | 'subscribe'>,
  list: (signal: AbortSignal) => Promise<Listed>,
  signal: AbortSignal,
): Promise<void> {
  const deleted = new Set<string>();
  let onEvent = ({ type, object }: StoreEvent<KubeObject>): void => {
    if (type === 'delete') deleted.add(object.metadata.uid ?? '');
  };
  // Subscribed before the list, so that no deletion after it is missed.
  const end = store.subscribe((event) => onEvent(event));
  try {
    const listed = await list(signal);
    signal.throwIfAborted();
    const lag = new Lag(store, listed, deleted);
    if (lag.isOver) return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(asError(signal.reason));
      signal.addEventListener('abort', onAbort, { once: true });
      onEvent = (event) => {
        lag.note(event);
        if (!lag.isOver) return;
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
    });
  } finally {
    end();
  }
}

/** What a store has not got yet of a list. It follows the store's events, each in constant time. */
class Lag {
  readonly #uids: ReadonlySet<string | undefined>;
  readonly #version: bigint;
  /** What the store has not got, or only an older version of, by key. */
  readonly #missing = new Map<string, KubeObject>();
  /** The keys of what the store has and the list no longer does. */
  readonly #gone = new Set<string>();

  /** `deleted`: the uids of what the store has lost since the list began. */
  constructor(
    store: Pick<Store<KubeObject>, 'values'>,
    { items, resourceVersion }: Listed,
    deleted: ReadonlySet<string>,
  ) {
    this.#uids = new Set(items.map(({ metadata }) => metadata.uid));
    this.#version = versionOf(resourceVersion);
    for (const item of items) if (!deleted.has(item.metadata.uid ?? '')) this.#missing.set(keyOf(item), item);
    for (const object of store.values()) this.#has(keyOf(object), object);
  }

  get isOver(): boolean {
    return this.#missing.size === 0 && this.#gone.size === 0;
  }

  note({ type, key, object }: StoreEvent<KubeObject>): void {
    if (type === 'apply') {
      this.#has(key, object);
      return;
    }
    this.#gone.delete(key);
    if (this.#missing.get(key)?.metadata.uid === object.metadata.uid) this.#missing.delete(key);
  }

  #has(key: string, { metadata: { uid, resourceVersion } }: KubeObject): void {
    const version = versionOf(resourceVersion);
    const missing = this.#missing.get(key);
    if (missing && version >= versionOf(missing.metadata.resourceVersion)) this.#missing.delete(key);
    if (!this.#uids.has(uid) && version <= this.#version) this.#gone.add(key);
    else this.#gone.delete(key);
  }
}

/** A version that is no number counts as the oldest. */
function versionOf(version: string | undefined): bigint {
  return /^\d+$/.test(version ?? '') ? BigInt(version ?? 0) : 0n;
}
