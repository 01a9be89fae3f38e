import type { TinyCertCertificate } from '../../../api/kinds.ts';
import { REVOCATION_FINALIZER } from '../../../api/names.ts';
import type { Store } from '../../../kube/watch/store.ts';
import type { AccountDigest } from '../../../api/tinycert/identity.ts';
import { accountIn } from '../claims.ts';
import { issuerKey } from '../issuer-directory.ts';

const BY_REVOCATION = 'revocation';
const BY_ACCOUNT = 'needed account';

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
  readonly #accountListeners = new Set<(account: AccountDigest) => void>();

  constructor(certificates: Store<TinyCertCertificate>) {
    this.#certificates = certificates;
    certificates.addIndex(BY_REVOCATION, neededBy);
    certificates.addIndex(BY_ACCOUNT, accountsNeededBy);
  }

  /** How many certificates need the issuer of this key. */
  count(issuer: string): number {
    return this.#certificates.keysByIndex(BY_REVOCATION, issuer).length;
  }

  /** Whether a certificate has something pending, or due at its deletion, at this account. */
  isAccountNeeded(account: AccountDigest): boolean {
    return this.#certificates.keysByIndex(BY_ACCOUNT, account).length > 0;
  }

  /** Calls back with an account when a certificate begins or ceases to need it. */
  onAccountChange(listener: (account: AccountDigest) => void): void {
    this.#accountListeners.add(listener);
  }

  /** Calls back with the key of an issuer when a certificate begins or ceases to need it. */
  onChange(listener: (issuerKey: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Subscribes to the store. Returns the function that unsubscribes. */
  wire(): () => void {
    return this.#certificates.subscribe(({ type, object, previous }) => {
      const before = type === 'delete' ? object : previous;
      const accountsBefore = before ? accountsNeededBy(before) : [];
      const accountsNow = type === 'delete' ? [] : accountsNeededBy(object);
      for (const account of new Set([...accountsBefore, ...accountsNow]))
        if (accountsBefore.includes(account) !== accountsNow.includes(account))
          for (const listener of this.#accountListeners) listener(account);
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

/** The accounts at which a certificate has something pending, or will at its deletion. */
function accountsNeededBy({ metadata, status }: TinyCertCertificate): AccountDigest[] {
  const isFinalized = metadata.finalizers?.includes(REVOCATION_FINALIZER) ?? false;
  return [status ?? {}, ...(status?.formerAccounts ?? [])].flatMap((part) => {
    const isNeeded = isFinalized || (part.pendingRevocations?.length ?? 0) > 0;
    const account = isNeeded ? accountIn(part) : undefined;
    return account === undefined ? [] : [account];
  });
}
