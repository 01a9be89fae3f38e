import type { KubeClient } from '../../../src/kube/client.ts';
import { ApiError } from '../../../src/kube/errors.ts';
import type { KubeObject, ObjectRef, ResourceType } from '../../../src/kube/objects.ts';
import { watchObjects } from '../../../src/kube/watch/watch.ts';

/** A condition that is not true by then fails the test, with the last object. */
const LIMIT_MS = 60_000;

/** Follows one object, or one collection, until `done` aborts: first its present state, then each change. */
async function follow<T extends KubeObject>(
  kube: KubeClient,
  type: ResourceType<T>,
  { namespace, name }: { namespace?: string | undefined; name?: string },
  seen: (object: T, event: 'present' | 'ADDED' | 'MODIFIED' | 'DELETED') => void,
  done: AbortSignal,
): Promise<void> {
  const selection = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
  };
  const list = await kube.list(type, selection);
  for (const object of list.items) seen(object, 'present');
  let { resourceVersion } = list;
  while (!done.aborted) {
    const options = {
      ...selection,
      resourceVersion,
      timeoutSeconds: 240,
      idleMs: 2 ** 30,
      signal: done,
    };
    await watchObjects(kube.transport, type, options, {
      opened: () => undefined,
      event: (event) => {
        if (event.type === 'BOOKMARK') {
          ({ resourceVersion } = event);
          return;
        }
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
        if (!done.aborted) seen(event.object, event.type);
      },
    }).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.reason === 'Aborted')) throw error;
    });
  }
}

/** Resolves with the object as soon as `condition` is true for it. Fails after a minute with its last state. */
export async function watchUntil<T extends KubeObject>(
  kube: KubeClient,
  type: ResourceType<T>,
  ref: ObjectRef,
  condition: (object: T) => boolean,
): Promise<T> {
  const done = new AbortController();
  let last: T | undefined;
  let found: T | undefined;
  const limit = setTimeout(() => done.abort(), LIMIT_MS);
  await follow(
    kube,
    type,
    ref,
    (object, event) => {
      last = object;
      if (event === 'DELETED' || found !== undefined || !condition(object)) return;
      found = object;
      done.abort();
    },
    done.signal,
  );
  clearTimeout(limit);
  if (found) return found;
  throw new Error(`${type.kind} ${ref.name} did not become as expected: ${JSON.stringify(last, null, 1)}`);
}

/**
 * Resolves with all objects of a namespace as soon as there are `count` and `condition` is true for each. Fails after a minute
 * without any change.
 */
export async function watchUntilAll<T extends KubeObject>(
  kube: KubeClient,
  type: ResourceType<T>,
  namespace: string,
  count: number,
  condition: (object: T) => boolean,
): Promise<T[]> {
  const done = new AbortController();
  const limit = setTimeout(() => done.abort(), LIMIT_MS);
  const objects = new Map<string, T>();
  const good = new Set<string>();
  await follow(
    kube,
    type,
    { namespace },
    (object, event) => {
      limit.refresh();
      const { name } = object.metadata;
      objects.set(name, object);
      if (event === 'DELETED') objects.delete(name);
      if (event !== 'DELETED' && condition(object)) good.add(name);
      else good.delete(name);
      if (good.size === count && objects.size === count) done.abort();
    },
    done.signal,
  );
  clearTimeout(limit);
  if (good.size === count && objects.size === count) return [...objects.values()];
  throw new Error(`${good.size} of ${objects.size} ${type.plural} became as expected, ${count} should have.`);
}

/** Does something that deletes an object; resolves with its last state, in the version of its deletion. */
export async function watchDeletion<T extends KubeObject>(
  kube: KubeClient,
  type: ResourceType<T>,
  ref: ObjectRef,
  act: () => Promise<void>,
): Promise<T> {
  const done = new AbortController();
  const present = Promise.withResolvers<void>();
  const deleted = Promise.withResolvers<T>();
  const limit = setTimeout(() => done.abort(), LIMIT_MS);
  const ended = follow(
    kube,
    type,
    ref,
    (object, event) => {
      if (event === 'present') present.resolve();
      if (event === 'DELETED') deleted.resolve(object);
    },
    done.signal,
  ).then(() => Promise.reject(new Error(`${type.kind} ${ref.name} was not deleted`)));
  ended.catch(() => undefined);
  try {
    // The watch starts where the object still existed.
    await Promise.race([present.promise, ended]);
    await act();
    return await Promise.race([deleted.promise, ended]);
  } finally {
    clearTimeout(limit);
    done.abort();
  }
}

/** Every version of a collection's objects, from a watch that started before the operator. */
export interface Recording<T> {
  readonly events: readonly { type: 'present' | 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }[];
  /** Waits until the watch has shown the present version of that object, and ends it. */
  stop(ref: ObjectRef): Promise<void>;
}

/** Records the versions of a namespace's objects. */
export function record<T extends KubeObject>(
  kube: KubeClient,
  type: ResourceType<T>,
  namespace: string,
): Recording<T> {
  const done = new AbortController();
  const events: { type: 'present' | 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }[] = [];
  let last: string | undefined;
  const ended = follow(
    kube,
    type,
    { namespace },
    (object, event) => {
      events.push({ type: event, object });
      if (object.metadata.resourceVersion === last) done.abort();
    },
    done.signal,
  );
  return {
    events,
    stop: async (ref) => {
      const { metadata } = await kube.get(type, ref);
      last = metadata.resourceVersion;
      if (events.some(({ object }) => object.metadata.resourceVersion === last)) done.abort();
      await ended;
    },
  };
}
