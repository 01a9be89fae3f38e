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
  /** Which namespaces; absent: all, or a cluster-scoped kind. */
  namespaces?: readonly string[];
  labelSelector?: string;
  fieldSelector?: string;
  /** Metadata without content: for Secrets, of which only the change matters. */
  metadataOnly?: boolean;
  /** What the store keeps of an object, which comes with apiVersion and kind and without managedFields. Pure. */
  project: (object: T) => P;
  clock: Clock;
  log: Logger;
  metrics?: ReflectorMetrics;
  signal: AbortSignal;
}

/** A store that follows the API server. */
export interface Informer<P> {
  readonly store: Store<P>;
  /** Resolves when the signal has aborted and everything is at rest. */
  readonly done: Promise<void>;
  /** Why a list or watch fails at present: NotFound means that the kind is not installed, Forbidden that a right is missing. */
  readonly lastError: Error | undefined;
}

/** The server ends a watch after 240 to 290 seconds, at random, so that a thousand of them do not come back in one second. */
const WATCH_SECONDS = { least: 240, spread: 50 };

/**
 * Silence after which a watch counts as dead and is opened anew where it was. The API server sends a bookmark each minute, but only
 * when the kind has changed anywhere since the last (measured with 1.36); so a quiet kind pays for this with one cheap request in two
 * and a half minutes, and a half-open connection is noticed in half the time that the server's own end of the watch would take.
 */
const IDLE_MS = 150_000;

/** Starts to follow one kind, in one, several or all namespaces, into one store. */
export function startInformer<T extends KubeObject, P>(options: InformerOptions<T, P>): Informer<P> {
  const { type, namespaces, log, clock, project, metrics, signal } = options;
  if (namespaces?.length === 0) throw new TypeError('Expected at least one namespace, or none given for all');
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
