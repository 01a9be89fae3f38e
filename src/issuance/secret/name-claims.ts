import { type KubeObject, refKey, type ResourceType } from '../../kube/objects.ts';
import type { Store } from '../../kube/watch/store.ts';
import { type CertificateResource, secretRef } from '../certificate-kind.ts';

/** Index on the stores of certificates: by the Secret they name. */
export const BY_SECRET = 'secret';

type Kind = Pick<ResourceType, 'kind'>;
type Resources = Pick<Store<CertificateResource>, 'addIndex' | 'byIndex' | 'subscribe'>;

/** Which Secret each certificate names, of whatever kind it is: a Secret has one owner. */
export class NameClaims {
  readonly #kinds: { type: Kind; store: Resources }[] = [];
  readonly #listeners = new Set<(secretKey: string) => void>();

  /** Counts the certificates of one kind in. Returns the function that ends this. */
  follow(type: Kind, store: Resources): () => void {
    store.addIndex(BY_SECRET, (certificate) => [refKey(secretRef(certificate))]);
    this.#kinds.push({ type, store });
    return store.subscribe(({ type: change, object, previous }) => {
      if (change === 'delete') this.#free(object);
      else if (previous && previous.spec.secretName !== object.spec.secretName) this.#free(previous);
    });
  }

  /** Calls back with the key of each Secret that a certificate no longer names. Returns the function that ends this. */
  onFreed(listener: (secretKey: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether any certificate names this Secret. */
  has(secretKey: string): boolean {
    return this.#kinds.some(({ store }) => store.byIndex(BY_SECRET, secretKey).length > 0);
  }

  /**
   * Which other resource owns the Secret that a resource names, if one does, as `kind name`: of several the one that has
   * it, else the oldest, of equal age the first by name and kind. So nobody takes a Secret that is served from another, however old.
   * `present`: the Secret, if there is one.
   */
  elderOf(type: Kind, certificate: CertificateResource, present: KubeObject | undefined): string | undefined {
    const uid = present?.metadata.uid;
    const rank = ({ kind }: Kind, { metadata, status }: CertificateResource): string => {
      const hasIt = uid !== undefined && status?.secretUID === uid;
      return `${hasIt ? 0 : 1} ${metadata.creationTimestamp} ${metadata.name} ${kind}`;
    };
    let first = { rank: rank(type, certificate), says: undefined as string | undefined };
    for (const { type: kind, store } of this.#kinds) {
      for (const other of store.byIndex(BY_SECRET, refKey(secretRef(certificate)))) {
        if (other.metadata.uid !== certificate.metadata.uid && rank(kind, other) < first.rank)
          first = { rank: rank(kind, other), says: `${kind.kind} ${other.metadata.name}` };
      }
    }
    return first.says;
  }

  #free(certificate: CertificateResource): void {
    for (const listener of this.#listeners) listener(refKey(secretRef(certificate)));
  }
}
