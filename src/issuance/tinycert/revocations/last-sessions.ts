import type { TinyCertAccounts } from '../../../account/tinycert-accounts.ts';
import type { AccountDigest } from '../../../api/tinycert/identity.ts';
import type { IssuerDirectory, ReadyIssuer } from '../issuer-directory.ts';

export interface LastSessionsOptions {
  directory: IssuerDirectory;
  accounts: Pick<TinyCertAccounts, 'hold' | 'release'>;
  /** Whether a certificate of this issuer has a hold or revocation, pending or due at its deletion. */
  isNeeded: (issuerKey: string) => boolean;
  /** Whether a certificate has something open, pending, or due at its deletion at this account. */
  isAccountNeeded: (account: AccountDigest) => boolean;
}

/**
 * The issuers as they were last ready, each with an account that stays logged in. If someone deletes the issuer, its
 * credentials or the whole namespace, or gives the issuer another account, holds and revocations can still be made. Keeps
 * nothing for an issuer or account without any.
 */
export class LastSessions {
  readonly #options: LastSessionsOptions;
  readonly #last = new Map<string, ReadyIssuer>();
  /** By account: an issuer as it was before it got another account. */
  readonly #left = new Map<AccountDigest, ReadyIssuer>();

  constructor(options: LastSessionsOptions) {
    this.#options = options;
  }

  /** The issuer as it was when this process last found it ready. */
  get(issuerKey: string): ReadyIssuer | undefined {
    return this.#last.get(issuerKey);
  }

  /** An issuer as it was when this process last found it ready with this account. */
  of(account: AccountDigest): ReadyIssuer | undefined {
    const last = [...this.#last.values()].find((issuer) => issuer.account.digest === account);
    return last ?? this.#left.get(account);
  }

  /** Reviews an issuer after it changed, or after a certificate began or ceased to need it. */
  review(issuerKey: string): void {
    const { directory, accounts, isNeeded, isAccountNeeded } = this.#options;
    const state = directory.get(issuerKey);
    const last = this.#last.get(issuerKey);
    if (state?.ready) {
      if (last && last.account.digest !== state.issuer.account.digest) this.#leave(last);
      this.#last.set(issuerKey, state.issuer);
      void accounts.hold(holderOf(issuerKey), state.issuer.account);
    } else if (last && !isNeeded(issuerKey) && !isAccountNeeded(last.account.digest)) {
      this.#last.delete(issuerKey);
      void accounts.release(holderOf(issuerKey));
    }
  }

  /** Reviews an account after a certificate ceased to need it, or an attempt there ended. */
  reviewAccount(account: AccountDigest): void {
    const { accounts, isAccountNeeded } = this.#options;
    if (isAccountNeeded(account)) return;
    if (this.#left.delete(account)) void accounts.release(holderOf(account));
    for (const [issuerKey, { account: last }] of this.#last)
      if (last.digest === account && !this.#options.directory.get(issuerKey)?.ready) this.review(issuerKey);
  }

  /** Subscribes to the directory. Returns the function that unsubscribes. */
  wire(): () => void {
    return this.#options.directory.onChange((issuerKey) => this.review(issuerKey));
  }

  /** Keeps the session of an account that an issuer has no longer. Another holder holds it until then. */
  #leave(last: ReadyIssuer): void {
    const { accounts, isAccountNeeded } = this.#options;
    const { digest } = last.account;
    if (!isAccountNeeded(digest)) return;
    this.#left.set(digest, last);
    void accounts.hold(holderOf(digest), last.account);
  }
}

function holderOf(issuerOrAccount: string): string {
  return `last session of ${issuerOrAccount}`;
}
