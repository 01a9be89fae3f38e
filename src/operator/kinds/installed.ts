import { type CertificateResource, secretRef } from '../../issuance/certificate-kind.ts';
import { BY_SECRET } from '../../issuance/secret/name-claims.ts';
import { LIST_PRIORITY, type WorkQueue } from '../../kube/controller/queue.ts';
import { refKey } from '../../kube/objects.ts';
import type { Store } from '../../kube/watch/store.ts';
import type { AnyKind } from './informers.ts';

type Kind = Pick<AnyKind, 'state' | 'subscribe'>;
type Resources = Store<CertificateResource>;

/** Calls back each time a kind that was not installed is in sync. Returns the function that ends this. */
export function onInstalled(kind: Kind, listener: () => void): () => void {
  let wasAbsent = false;
  return kind.subscribe(() => {
    if (kind.state === 'absent') wasAbsent = true;
    if (kind.state !== 'synced' || !wasAbsent) return;
    wasAbsent = false;
    listener();
  });
}

/**
 * Once another kind of certificates has been installed, requeues those certificates that name a Secret which one of the
 * other kind names too. Returns the function that ends this.
 */
export function wakeSharers(
  other: Kind & { store: Pick<Resources, 'values'> },
  own: { store: Pick<Resources, 'keysByIndex'> },
  queue: WorkQueue,
): () => void {
  return onInstalled(other, () => {
    for (const certificate of other.store.values())
      for (const key of own.store.keysByIndex(BY_SECRET, refKey(secretRef(certificate))))
        queue.add(key, { reason: 'installed', priority: LIST_PRIORITY });
  });
}
