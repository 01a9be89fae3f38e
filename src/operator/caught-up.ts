import { keyOf, type KubeObject } from '../kube/objects.ts';
import type { Store } from '../kube/watch/store.ts';
import { asError } from '../lib/errors.ts';

/**
 * Resolves once a store is at least as new as a list that is made now: a warm cache counts only then (`takeoverLists`). Versions are
 * compared as numbers, which Kubernetes allows for objects of one kind. Rejects with the error of the list, or the signal's reason.
 */
export async function caughtUp(
  store: Pick<Store<KubeObject>, 'get' | 'values' | 'subscribe'>,
  list: (signal: AbortSignal) => Promise<{ items: readonly KubeObject[]; resourceVersion: string }>,
  signal: AbortSignal,
): Promise<void> {
  const deleted = new Set<string>();
  let look: () => void = () => undefined;
  // Subscribed before the list, so that no deletion after it is missed.
  const end = store.subscribe(({ type, object }) => {
    if (type === 'delete') deleted.add(object.metadata.uid ?? '');
    look();
  });
  try {
    const { items, resourceVersion } = await list(signal);
    const uids = new Set(items.map(({ metadata }) => metadata.uid));
    const isBehind = (): boolean =>
      items.some((item) => !deleted.has(item.metadata.uid ?? '') && isOlder(store.get(keyOf(item)), item)) ||
      [...store.values()].some(
        ({ metadata }) => !uids.has(metadata.uid) && isUpTo(metadata, resourceVersion),
      );
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(asError(signal.reason));
      look = () => {
        if (isBehind()) return;
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
      else look();
    });
  } finally {
    end();
  }
}

function isOlder(cached: KubeObject | undefined, { metadata }: KubeObject): boolean {
  if (!cached) return true;
  return versionOf(cached.metadata.resourceVersion) < versionOf(metadata.resourceVersion);
}

function isUpTo({ resourceVersion }: KubeObject['metadata'], listed: string): boolean {
  return versionOf(resourceVersion) <= versionOf(listed);
}

/** A version that is no number counts as the oldest. */
function versionOf(version: string | undefined): bigint {
  return /^\d+$/.test(version ?? '') ? BigInt(version ?? 0) : 0n;
}
