import { isForbidden, isNotFound } from '../../kube/errors.ts';
import type { KubeObject, ResourceType } from '../../kube/objects.ts';
import { type Informer, type InformerOptions, startInformer } from '../../kube/watch/informer.ts';
import type { ReflectorMetrics } from '../../kube/watch/reflector.ts';
import type { Store } from '../../kube/watch/store.ts';
import type { Logger } from '../../lib/log.ts';

/**
 * What is known of the objects of one kind.
 *
 * - `unknown`: no list has succeeded. The store is empty, and nothing follows from that.
 * - `absent`: the API server does not serve the kind, so there are no objects of it.
 * - `synced`: the store has every object. It stays so when the API server is out of reach later, and when the CRD is
 *   deleted, which deletes the objects first.
 */
export type KindState = 'unknown' | 'absent' | 'synced';

/** Why a kind cannot be listed. */
export type ListFault = 'not installed' | 'forbidden' | 'other';

export type KindEvent =
  /** A list failed. `inARow` counts the failures with this fault since the last list that succeeded. */
  { type: 'failed'; fault: ListFault; inARow: number; error: Error } | { type: 'listed' };

/** One answer of 404 could come from an API server that has just started, so it takes two to make a kind absent. */
const FAILURES_FOR_ABSENT = 2;

export interface WatchedKindOptions<T extends P, P extends KubeObject> extends Omit<
  InformerOptions<T, P>,
  'metrics'
> {
  /** What waits while the kind is not installed, as the subject of a sentence. */
  dependents: string;
}

/** Starts to watch one kind. */
export function watchKind<T extends P, P extends KubeObject>(
  options: WatchedKindOptions<T, P>,
): WatchedKind<P> {
  const { type, dependents } = options;
  const log = type.group === '' ? options.log : withoutMissingKind(options.log);
  return new WatchedKind(type, dependents, (metrics) => startInformer<T, P>({ ...options, log, metrics }));
}

/** The informer of one kind, and what is known of the kind. */
export class WatchedKind<P extends KubeObject> {
  readonly type: ResourceType<P>;
  /** What waits while the kind is not installed, as the subject of a sentence. */
  readonly dependents: string;
  readonly #informer: Informer<P>;
  readonly #listeners = new Set<(event: KindEvent) => void>();
  #isAbsent = false;
  #fault: ListFault | undefined;
  #inARow = 0;

  constructor(type: ResourceType<P>, dependents: string, start: (metrics: ReflectorMetrics) => Informer<P>) {
    this.type = type;
    this.dependents = dependents;
    // The metrics hook is the reflector's only event for a list that fails; `lastError` is set right after it.
    this.#informer = start({
      listed: () => this.#listed(),
      interrupted: (_, during) => {
        if (during === 'list') queueMicrotask(() => this.#failed());
      },
      event: () => undefined,
    });
  }

  get store(): Store<P> {
    return this.#informer.store;
  }

  /** Resolves when the signal has aborted and the informer has stopped. */
  get done(): Promise<void> {
    return this.#informer.done;
  }

  get state(): KindState {
    if (this.store.synced) return 'synced';
    return this.#isAbsent ? 'absent' : 'unknown';
  }

  /**
   * Whether the API server does not serve the kind, as far as its lists have shown. Unlike the state this also says that the CRD of a
   * kind in sync was deleted later.
   */
  get isMissing(): boolean {
    return this.#isAbsent;
  }

  /** Calls back after each list, with the state changed already. Returns the function that ends this. */
  subscribe(listener: (event: KindEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #listed(): void {
    this.#isAbsent = false;
    this.#fault = undefined;
    this.#inARow = 0;
    this.#emit({ type: 'listed' });
  }

  #failed(): void {
    const error = this.#informer.lastError;
    if (!error) return;
    const fault = faultOf(this.type, error);
    this.#inARow = fault === this.#fault ? this.#inARow + 1 : 1;
    this.#fault = fault;
    // An API server that is out of reach leaves what is known; a missing right hides whether the kind is there.
    if (fault === 'not installed' && this.#inARow >= FAILURES_FOR_ABSENT) this.#isAbsent = true;
    if (fault === 'forbidden') this.#isAbsent = false;
    this.#emit({ type: 'failed', fault, inARow: this.#inARow, error });
  }

  #emit(event: KindEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/**
 * The reflector warns each time a list fails, twice a minute. That a kind is not installed may be meant and is reported once
 * (`reportKinds`), so those warnings go to the debug level.
 */
function withoutMissingKind(log: Logger): Logger {
  function warn(first: Readonly<Record<string, unknown>> | string, message = ''): void {
    if (typeof first === 'string') log.warn(first);
    else if (isNotFound(first['error'])) log.debug(first, message);
    else log.warn(first, message);
  }
  return { ...log, warn, child: (fields) => withoutMissingKind(log.child(fields)) };
}

/** A kind of the core group is always there: a 404 for it does not come from an API server. */
function faultOf({ group }: ResourceType, error: Error): ListFault {
  if (isNotFound(error) && group !== '') return 'not installed';
  return isForbidden(error) ? 'forbidden' : 'other';
}
