import type { KubeClient } from '../kube/client.ts';
import { type InformerOptions, startInformer } from '../kube/informer.ts';
import { type ObjectRef, refKey, type Secret, secrets } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';

interface Watch {
  holders: Set<string>;
  stop: () => void;
}

/** Start of one watch; returns what ends it. */
export type StartWatch = (ref: ObjectRef, onChange: () => void) => () => void;

/** More watches than this are not kept open; what is beyond is looked at by time. */
export const MAX_WATCHES = 50;

/**
 * Watches of single Secrets by name, as metadata, for issuers that read credentials from them. By name, since the right
 * to list all Secrets of a namespace is more than an operator should have.
 */
export class SecretWatches {
  readonly #start: StartWatch;
  readonly #listeners = new Set<(holder: string) => void>();
  readonly #watches = new Map<string, Watch>();
  readonly #wanted = new Map<string, Set<string>>();

  constructor(start: StartWatch) {
    this.#start = start;
  }

  /** Calls back with the holder whose Secret changed. */
  onChange(listener: (holder: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Sets which Secrets a holder depends on. Returns whether all of them are watched. */
  want(holder: string, refs: readonly ObjectRef[]): boolean {
    const keys = new Set(refs.map(refKey));
    for (const key of this.#wanted.get(holder) ?? []) if (!keys.has(key)) this.#leave(holder, key);
    this.#wanted.set(holder, keys);
    return refs.map((ref) => this.#join(holder, ref)).every(Boolean);
  }

  /** A holder is gone. */
  release(holder: string): void {
    for (const key of this.#wanted.get(holder) ?? []) this.#leave(holder, key);
    this.#wanted.delete(holder);
  }

  get size(): number {
    return this.#watches.size;
  }

  #join(holder: string, ref: ObjectRef): boolean {
    const key = refKey(ref);
    const watch = this.#watches.get(key) ?? this.#open(key, ref);
    watch?.holders.add(holder);
    return watch !== undefined;
  }

  #open(key: string, ref: ObjectRef): Watch | undefined {
    if (this.#watches.size >= MAX_WATCHES) return undefined;
    const holders = new Set<string>();
    const stop = this.#start(ref, () => {
      for (const holder of holders) for (const listener of this.#listeners) listener(holder);
    });
    const watch = { holders, stop };
    this.#watches.set(key, watch);
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

/** Watches by informers on the API server. */
export function informerWatches(options: {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  metrics?: InformerOptions<Secret, true>['metrics'];
}): StartWatch {
  return ({ namespace = '', name }, onChange) => {
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
    store.subscribe(onChange);
    return () => end.abort();
  };
}
