import type { KubeClient } from '../kube/client.ts';
import { type InformerOptions, startInformer } from '../kube/watch/informer.ts';
import { type ObjectRef, refKey, type Secret, secrets } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';

interface Watch {
  holders: Set<string>;
  /** The version that was read last, '' if there was no Secret. An event with this version is no change. */
  version: string;
  stop: () => void;
}

/** Starts one watch, which calls back with each version that it sees ('' for none). Returns the function that ends it. */
export type StartWatch = (ref: ObjectRef, onVersion: (version: string) => void) => () => void;

/** A Secret that was read, in the version that was found ('' for none). */
export interface ReadSecret {
  ref: ObjectRef;
  version: string;
}

/** Most watches kept open. Further Secrets are polled. */
export const MAX_WATCHES = 50;

/**
 * Watches of the single Secrets that credentials are read from, by name and as metadata. By name, because an operator
 * should not have the right to list all Secrets of a namespace.
 */
export class SecretWatches {
  readonly #start: StartWatch;
  readonly #listeners = new Set<(holder: string) => void>();
  readonly #watches = new Map<string, Watch>();
  readonly #wanted = new Map<string, Set<string>>();

  constructor(start: StartWatch) {
    this.#start = start;
  }

  /** Calls back with the holder whose Secret changed. Returns the function that ends this. */
  onChange(listener: (holder: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Sets which Secrets a holder depends on, after it has read them. A change between the read and the start of the watch is
   * reported too. Returns whether all of them are watched.
   */
  want(holder: string, read: readonly ReadSecret[]): boolean {
    const keys = new Set(read.map(({ ref }) => refKey(ref)));
    for (const key of this.#wanted.get(holder) ?? []) if (!keys.has(key)) this.#leave(holder, key);
    this.#wanted.set(holder, keys);
    return read.map((secret) => this.#join(holder, secret)).every(Boolean);
  }

  /** Ends the watches of a holder that is gone, unless others share them. */
  release(holder: string): void {
    for (const key of this.#wanted.get(holder) ?? []) this.#leave(holder, key);
    this.#wanted.delete(holder);
  }

  get size(): number {
    return this.#watches.size;
  }

  #join(holder: string, { ref, version }: ReadSecret): boolean {
    const key = refKey(ref);
    const watch = this.#watches.get(key) ?? this.#open(key, ref, version);
    if (!watch) return false;
    watch.holders.add(holder);
    watch.version = version;
    return true;
  }

  #open(key: string, ref: ObjectRef, version: string): Watch | undefined {
    if (this.#watches.size >= MAX_WATCHES) return undefined;
    const watch: Watch = { holders: new Set(), version, stop: () => undefined };
    this.#watches.set(key, watch);
    watch.stop = this.#start(ref, (seen) => {
      if (seen === watch.version) return;
      for (const holder of watch.holders) for (const listener of this.#listeners) listener(holder);
    });
    return watch;
  }

  #leave(holder: string, key: string): void {
    const watch = this.#watches.get(key);
    watch?.holders.delete(holder);
    if (!watch || watch.holders.size > 0) return;
    watch.stop();
    this.#watches.delete(key);
  }
}

/** Starts watches as informers on the API server. */
export function informerWatches(options: {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  metrics?: InformerOptions<Secret, true>['metrics'];
}): StartWatch {
  return ({ namespace = '', name }, onVersion) => {
    const end = new AbortController();
    const { store } = startInformer<Secret, string>({
      client: options.client,
      clock: options.clock,
      log: options.log,
      ...(options.metrics ? { metrics: options.metrics } : {}),
      type: secrets,
      namespaces: [namespace],
      fieldSelector: `metadata.name=${name}`,
      metadataOnly: true,
      project: ({ metadata }) => metadata.resourceVersion ?? '',
      signal: AbortSignal.any([options.signal, end.signal]),
    });
    store.subscribe(({ type, object }) => onVersion(type === 'delete' ? '' : object));
    return () => end.abort();
  };
}
