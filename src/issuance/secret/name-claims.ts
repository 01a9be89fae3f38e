import { type KubeObject, refKey, type ResourceType } from '../../kube/objects.ts';
import type { Store } from '../../kube/watch/store.ts';
import { type CertificateResource, secretRef } from '../certificate-kind.ts';

/** The index of certificates by the key of the Secret they name. */
export const BY_SECRET = 'secret';

type Kind = Pick<ResourceType, 'kind'>;
type Resources = Pick<Store<CertificateResource>, 'addIndex' | 'byIndex' | 'subscribe'>;

/** Which certificates, of all kinds, name which Secret: a Secret has one owner. */
export class NameClaims {
  readonly #kinds: { type: Kind; store: Resources }[] = [];
  readonly #listeners = new Set<(secretKey: string) => void>();

  /** Follows the certificates of one kind. Returns the function that unsubscribes. */
  follow(type: Kind, store: Resources): () => void {
    store.addIndex(BY_SECRET, (certificate) => [refKey(secretRef(certificate))]);
    this.#kinds.push({ type, store });
    return store.subscribe(({ type: change, object, previous }) => {
      if (change === 'delete') this.#free(object);
      else if (previous && previous.spec.secretName !== object.spec.secretName) this.#free(previous);
    });
  }

  /** Calls back with the key of each Secret that a certificate ceases to name. Returns the function that unsubscribes. */
  onFreed(listener: (secretKey: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether any certificate names this Secret. */
  has(secretKey: string): boolean {
    return this.#kinds.some(({ store }) => store.byIndex(BY_SECRET, secretKey).length > 0);
  }

  /**
   * The other resource that owns the Secret a resource names, as `kind name`; undefined if there is none. Of several, the
   * one that has the Secret owns it, then the oldest, then the first by name and kind. So no resource takes over a Secret
   * in use, however old it is. `present`: the Secret, if there is one.
   */
  elderOf(type: Kind, certificate: CertificateResource, present: KubeObject | undefined): string | undefined {
    const uid = present?.metadata.uid;
    const rank = ({ kind }: Kind, { metadata, status }: CertificateResource): string => {
      const hasIt = uid !== undefined && status?.secretUID === uid;
      return `${hasIt ? 0 : 1} ${metadata.creationTimestamp} ${metadata.name} ${kind}`;
    };
    let first = { rank: rank(type, certificate), title: undefined as string | undefined };
    for (const { type: kind, store } of this.#kinds) {
      for (const other of store.byIndex(BY_SECRET, refKey(secretRef(certificate)))) {
        if (other.metadata.uid !== certificate.metadata.uid && rank(kind, other) < first.rank)
          first = { rank: rank(kind, other), title: `${kind.kind} ${other.metadata.name}` };
      }
    }
    return first.title;
  }

  #free(certificate: CertificateResource): void {
    for (const listener of this.#listeners) listener(refKey(secretRef(certificate)));
  }
}
