import type { TinyCertCertificate } from '../../../api/kinds.ts';
import { REVOCATION_FINALIZER } from '../../../api/names.ts';
import type { Store } from '../../../kube/watch/store.ts';
import { issuerKey } from '../issuer-directory.ts';

const BY_REVOCATION = 'promise';

/** Whether something was promised for the end of this certificate that only its issuer's account can keep. */
export function hasDueRevocation({ metadata, status }: TinyCertCertificate): boolean {
  return (
    (metadata.finalizers?.includes(REVOCATION_FINALIZER) ?? false) ||
    (status?.pendingRevocations?.length ?? 0) > 0
  );
}

/** Which issuers are needed for holds and revocations that were promised. */
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

  /** Calls back with the key of an issuer that somebody has come to need, or needs no longer. */
  onChange(listener: (issuerKey: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Begins to listen. Returns the function that ends this. */
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
  return hasDueRevocation(certificate) ? [issuerKey(spec.issuerRef, metadata.namespace)] : [];
}
