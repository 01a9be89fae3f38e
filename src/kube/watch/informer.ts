import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { type KubeClient, PAGE_SIZE, type Selection } from '../client.ts';
import type { KubeObject, ResourceType } from '../objects.ts';
import { Reflector, type ReflectorMetrics, type Source } from './reflector.ts';
import { Store } from './store.ts';
import { watchObjects } from './watch.ts';

export interface InformerOptions<T extends KubeObject, P> {
  client: KubeClient;
  type: ResourceType<T>;
  /** The namespaces to follow. Absent: all of them, or a cluster-scoped kind. */
  namespaces?: readonly string[];
  labelSelector?: string;
  fieldSelector?: string;
  /** Follows metadata alone, for example of Secrets, where only the fact of a change matters. */
  metadataOnly?: boolean;
  /** The part of an object that the store keeps. The object has apiVersion and kind, and no managedFields. Pure. */
  project: (object: T) => P;
  clock: Clock;
  log: Logger;
  metrics?: ReflectorMetrics;
  signal: AbortSignal;
}

/** A store that follows the API server. */
export interface Informer<P> {
  readonly store: Store<P>;
  /** Resolves when the signal has aborted and all reflectors have stopped. */
  readonly done: Promise<void>;
  /** Why list or watch fails at present. NotFound: the kind is not installed. Forbidden: a right is missing. */
  readonly lastError: Error | undefined;
}

/** The server ends a watch after a random 240 to 290 seconds, so a thousand watches do not reconnect in one second. */
const WATCH_SECONDS = { least: 240, spread: 50 };

/**
 * Silence, in milliseconds, after which a watch counts as dead and is opened again from its last version. The API server sends a
 * bookmark each minute, but only if the kind has changed anywhere since the last one (measured with 1.36). A quiet kind therefore
 * costs one cheap request every two and a half minutes. A half-open connection is noticed in about half the time that the server's
 * own end of the watch would take.
 */
const IDLE_MS = 150_000;

/** Starts to follow one kind, in one, several or all namespaces, and keeps its objects in one store. */
export function startInformer<T extends KubeObject, P>(options: InformerOptions<T, P>): Informer<P> {
  const { type, namespaces, log, clock, project, metrics, signal } = options;
  if (namespaces?.length === 0) throw new TypeError('Expected at least one namespace, or undefined for all');
  const store = new Store<P>((error) =>
    log.error({ resource: type.plural, error }, 'A listener of a store failed'),
  );
  const parts: readonly (string | undefined)[] = namespaces ? [...new Set(namespaces)] : [undefined];
  const reflectors = parts.map(
    (namespace) =>
      new Reflector<T, P>({
        source: sourceOf(options, namespace),
        writer: store.openPart(),
        project,
        resource: type.plural,
        clock,
        log: namespace === undefined ? log : log.child({ namespace }),
        ...(metrics ? { metrics } : {}),
        signal,
      }),
  );
  return {
    store,
    done: Promise.all(reflectors.map((reflector) => reflector.run())).then(() => undefined),
    get lastError() {
      return reflectors.find((reflector) => reflector.lastError)?.lastError;
    },
  };
}

function sourceOf<T extends KubeObject, P>(
  options: InformerOptions<T, P>,
  namespace: string | undefined,
): Source<T> {
  const { client, type, labelSelector, fieldSelector, metadataOnly } = options;
  const selection: Selection = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(metadataOnly === undefined ? {} : { metadataOnly }),
  };
  return {
    list: (next, signal) =>
      client.list(type, {
        ...selection,
        limit: PAGE_SIZE,
        ...(next === undefined ? {} : { continue: next }),
        signal,
      }),
    watch: (resourceVersion, listener, signal) => {
      const timeoutSeconds = WATCH_SECONDS.least + Math.floor(Math.random() * (WATCH_SECONDS.spread + 1));
      const watch = { ...selection, resourceVersion, timeoutSeconds, idleMs: IDLE_MS, signal };
      return watchObjects(client.transport, type, watch, listener);
    },
  };
}
