import { IN_USE_FINALIZER } from '../api/names.ts';
import type { Warn } from '../issuance/status/events.ts';
import type { IssuersNeeded } from '../issuance/tinycert/revocations/issuers-needed.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Reconcile } from '../kube/controller/controller.ts';
import { LIST_PRIORITY, type WorkQueue } from '../kube/controller/queue.ts';
import { isNotFound } from '../kube/errors.ts';
import { type ResourceType, parseKey } from '../kube/objects.ts';
import type { Store } from '../kube/watch/store.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Issuer } from './deps.ts';

/** What the in-use controller of one issuer kind works with. */
export interface InUseDeps {
  kube: KubeClient;
  warn: Warn;
  type: ResourceType<Issuer>;
  issuers: Store<Issuer>;
  issuersNeeded: IssuersNeeded;
}

/** Whether an issuer is kept until the revocations of its certificates are done. Until then it works as before. */
export function isKept({ metadata }: Pick<Issuer, 'metadata'>): boolean {
  return metadata.finalizers?.includes(IN_USE_FINALIZER) ?? false;
}

/**
 * Keeps an issuer, by a finalizer, while its account is needed for a hold or revocation that is due. It reads certificates
 * and issuers from the cache, writes the issuers' finalizers, and never calls the CA.
 */
export function inUseController(
  deps: InUseDeps,
  queue: WorkQueue,
): { reconcile: Reconcile; stop: () => void } {
  const prefix = `${deps.type.kind}:`;
  const stop = deps.issuers.subscribe(({ type, key, previous }) => {
    if (type === 'delete') queue.forget(key);
    else queue.add(key, { reason: 'changed', priority: previous ? 0 : LIST_PRIORITY });
  });
  deps.issuersNeeded.onChange((issuer) => {
    if (issuer.startsWith(prefix)) queue.add(issuer.slice(prefix.length), { reason: 'revocation' });
  });
  return { reconcile: (key, { signal }) => reconcile(deps, key, signal), stop };
}

async function reconcile(deps: InUseDeps, key: string, signal: AbortSignal): Promise<void> {
  const issuer = deps.issuers.get(key);
  if (!issuer) return;
  const { metadata } = issuer;
  const count = deps.issuersNeeded.count(`${deps.type.kind}:${key}`);
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const others = (metadata.finalizers ?? []).filter((name) => name !== IN_USE_FINALIZER);
  if (count > 0 && isDeleted && isKept(issuer)) {
    const message = `Certificates that still need this issuer for a hold or revocation: ${count}. It is removed after the last of them.`;
    deps.warn(issuer, 'InUse', message);
  }
  if (count > 0 && !isKept(issuer) && !isDeleted) {
    await write([...others, IN_USE_FINALIZER]);
    failpoint('finalizer');
  }
  if (count === 0 && isKept(issuer)) {
    failpoint('vanish');
    await write(others);
  }

  async function write(finalizers: string[]): Promise<void> {
    const patch = { metadata: { resourceVersion: metadata.resourceVersion, finalizers } };
    try {
      await deps.kube.mergePatch(deps.type, parseKey(key), patch, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
