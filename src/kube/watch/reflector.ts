import type { Clock } from '../../lib/clock.ts';
import { asError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { isAborted, isApiError, isForbidden } from '../errors.ts';
import { keyOf, type KubeObject } from '../objects.ts';
import {
  advance,
  initialState,
  type Outcome,
  type ReflectorState,
  type WatchProgress,
} from './reflector-state.ts';
import type { StoreEntry, StoreWriter } from './store.ts';
import type { WatchEvent, WatchListener } from './watch.ts';

/** List and watch for one collection. Both throw `ApiError`. */
export interface Source<T> {
  list(next: string | undefined, signal: AbortSignal): Promise<SourcePage<T>>;
  /** Resolves when the server ends the watch. */
  watch(resourceVersion: string, listener: WatchListener<T>, signal: AbortSignal): Promise<void>;
}

export interface SourcePage<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

export interface ReflectorMetrics {
  /** A whole list has replaced the reflector's part of the store. */
  listed(resource: string, objects: number): void;
  event(resource: string, type: WatchEvent<KubeObject>['type']): void;
  /** `reason` is Ended if the server ended a watch as usual, else that of the ApiError. */
  interrupted(resource: string, during: 'list' | 'watch', reason: string): void;
}

export interface ReflectorOptions<T, P> {
  source: Source<T>;
  writer: StoreWriter<P>;
  /** The part of an object that the store keeps. Pure; to save memory, it must not refer to the object. */
  project: (object: T) => P;
  /** Plural name of the kind, for logs and metrics. */
  resource: string;
  clock: Clock;
  log: Logger;
  metrics?: ReflectorMetrics;
  signal: AbortSignal;
  random?: () => number;
}

/**
 * Keeps one part of a store equal to one collection of the API server. It lists the collection in pages, watches from there, and lists
 * again only if the resourceVersion is useless. Only its signal ends it: it logs a failure, shows it as `lastError` and retries.
 */
export class Reflector<T extends KubeObject, P> {
  readonly #options: ReflectorOptions<T, P>;
  #lastError: Error | undefined;

  constructor(options: ReflectorOptions<T, P>) {
    this.#options = options;
  }

  /** Why the last list or watch failed; undefined after a success. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Resolves when the signal aborts. */
  async run(): Promise<void> {
    const { signal, clock, random = Math.random } = this.#options;
    let state: ReflectorState<StoreEntry<P>> = initialState();
    while (!signal.aborted) {
      const outcome = await this.#perform(state);
      if (signal.aborted) return;
      state = advance(state, outcome, clock.monotonic(), random);
      this.#report(outcome, state);
    }
  }

  async #perform(state: ReflectorState<StoreEntry<P>>): Promise<Outcome<StoreEntry<P>>> {
    switch (state.phase) {
      case 'listing':
        return this.#list(state.gathered, state.continue);
      case 'watching':
        return this.#watch(state.resourceVersion);
      case 'waiting':
      default:
        await this.#options.clock.sleep(state.delayMs, this.#options.signal).catch(() => undefined);
        return { type: 'waited' };
    }
  }

  async #list(gathered: readonly StoreEntry<P>[], next: string | undefined): Promise<Outcome<StoreEntry<P>>> {
    const { source, writer, signal, metrics, resource } = this.#options;
    try {
      const page = await source.list(next, signal);
      const entries = page.items.flatMap((item) => this.#entryOf(item) ?? writer.current(keyOf(item)) ?? []);
      if (page.continue !== undefined) return { type: 'page', entries, continue: page.continue };
      this.#lastError = undefined;
      writer.replace([...gathered, ...entries]);
      metrics?.listed(resource, gathered.length + entries.length);
      return { type: 'listed', resourceVersion: page.resourceVersion };
    } catch (error) {
      return { type: 'list-failed', error };
    }
  }

  async #watch(from: string): Promise<Outcome<StoreEntry<P>>> {
    const { source, clock, signal } = this.#options;
    let openedAt = Infinity;
    let resourceVersion = from;
    let events = 0;
    const progress = (): WatchProgress => ({
      resourceVersion,
      events,
      openMs: Math.max(0, clock.monotonic() - openedAt),
    });
    try {
      await source.watch(
        from,
        {
          opened: () => {
            openedAt = clock.monotonic();
            this.#lastError = undefined;
          },
          event: (event) => {
            resourceVersion = this.#handle(event);
            events += 1;
          },
        },
        signal,
      );
      return { type: 'ended', ...progress() };
    } catch (error) {
      return { type: 'watch-failed', error, ...progress() };
    }
  }

  /** Applies the event to the store and returns its resourceVersion. */
  #handle(event: WatchEvent<T>): string {
    const { writer, metrics, resource } = this.#options;
    metrics?.event(resource, event.type);
    if (event.type === 'BOOKMARK') return event.resourceVersion;
    if (event.type === 'DELETED') writer.delete(keyOf(event.object));
    else {
      const entry = this.#entryOf(event.object);
      if (entry) writer.apply(entry);
    }
    return event.object.metadata.resourceVersion ?? '';
  }

  /** Undefined if the projection throws. The store then keeps the object's earlier version, and other objects are not affected. */
  #entryOf(object: T): StoreEntry<P> | undefined {
    const { project, log, resource } = this.#options;
    const key = keyOf(object);
    const { uid = '', resourceVersion = '' } = object.metadata;
    try {
      return { key, uid, resourceVersion, object: project(object) };
    } catch (error) {
      log.error(
        { resource, key, error: asError(error) },
        'Could not project an object; keeping its earlier version',
      );
      return undefined;
    }
  }

  #report(outcome: Outcome<StoreEntry<P>>, state: ReflectorState<StoreEntry<P>>): void {
    const { log, resource, metrics } = this.#options;
    switch (outcome.type) {
      case 'page':
      case 'listed':
      case 'waited':
        return;
      case 'ended':
        metrics?.interrupted(resource, 'watch', 'Ended');
        if (state.phase === 'waiting') log.debug({ resource }, 'A watch ended at once; retrying');
        else this.#lastError = undefined;
        return;
      case 'list-failed':
      case 'watch-failed': {
        const error = asError(outcome.error);
        const during = outcome.type === 'list-failed' ? 'list' : 'watch';
        metrics?.interrupted(resource, during, isApiError(error) ? error.reason : 'InternalError');
        if (state.phase !== 'waiting' || isAborted(error)) {
          log.debug({ resource, error }, 'A watch was interrupted; continuing');
          return;
        }
        this.#lastError = error;
        const fields = { resource, during, delayMs: state.delayMs, error };
        if (isForbidden(error)) log.warn(fields, 'Not allowed to list and watch a kind; retrying');
        else log.warn(fields, 'Could not list or watch a kind; retrying');
      }
    }
  }
}
