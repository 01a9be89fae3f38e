import type { TinyCertCertificate } from '../../../api/kinds.ts';
import { REVOCATION_FINALIZER } from '../../../api/names.ts';
import type { Store } from '../../../kube/watch/store.ts';
import { issuerKey } from '../issuer-directory.ts';

const BY_REVOCATION = 'revocation';

/** Whether a certificate has a hold or revocation, pending or due at its deletion, that only its issuer's account can make. */
function needsIssuer({ metadata, status }: TinyCertCertificate): boolean {
  return (
    (metadata.finalizers?.includes(REVOCATION_FINALIZER) ?? false) ||
    (status?.pendingRevocations?.length ?? 0) > 0
  );
}

/** Counts the certificates that need each issuer for a hold or revocation. */
export class IssuersNeeded {
  readonly #certificates: Store<TinyCertCertificate>;
  readonly #listeners = new Set<(issuerKey: string) => void>();

  constructor(certificates: Store<TinyCertCertificate>) {
    this.#certificates = certificates;
    certificates.addIndex(BY_REVOCATION, neededBy);
  }

  /** How many certificates need the issuer of this key. */
  count(issuer: string): number {
    return this.#certificates.keysByIndex(BY_REVOCATION, issuer).length;
  }

  /** Calls back with the key of an issuer when a certificate begins or ceases to need it. */
  onChange(listener: (issuerKey: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Subscribes to the store. Returns the function that unsubscribes. */
  wire(): () => void {
    return this.#certificates.subscribe(({ type, object, previous }) => {
      const before = type === 'delete' ? object : previous;
      const [was] = before ? neededBy(before) : [];
      const [is] = type === 'delete' ? [] : neededBy(object);
      if (was === is) return;
      for (const key of [was, is])
        if (key !== undefined) for (const listener of this.#listeners) listener(key);
    });
  }
}

/** The key of the issuer that a certificate needs, if it needs one. */
function neededBy(certificate: TinyCertCertificate): string[] {
  const { spec, metadata } = certificate;
  return needsIssuer(certificate) ? [issuerKey(spec.issuerRef, metadata.namespace)] : [];
}
