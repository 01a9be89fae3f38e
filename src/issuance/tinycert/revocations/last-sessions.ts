import type { TinyCertAccounts } from '../../../account/tinycert-accounts.ts';
import type { IssuerDirectory, ReadyIssuer } from '../issuer-directory.ts';

/**
 * The issuers as they were last ready, each with an account that stays logged in. If someone deletes the issuer, its
 * credentials or the whole namespace, holds and revocations can still be made. Keeps nothing for an issuer without any.
 */
export class LastSessions {
  readonly #directory: IssuerDirectory;
  readonly #accounts: Pick<TinyCertAccounts, 'hold' | 'release'>;
  readonly #isNeeded: (issuerKey: string) => boolean;
  readonly #last = new Map<string, ReadyIssuer>();

  constructor(options: {
    directory: IssuerDirectory;
    accounts: Pick<TinyCertAccounts, 'hold' | 'release'>;
    isNeeded: (issuerKey: string) => boolean;
  }) {
    this.#directory = options.directory;
    this.#accounts = options.accounts;
    this.#isNeeded = options.isNeeded;
  }

  /** The issuer as it was when this process last found it ready. */
  get(issuerKey: string): ReadyIssuer | undefined {
    return this.#last.get(issuerKey);
  }

  /** Reviews an issuer after it changed, or after a certificate began or ceased to need it. */
  review(issuerKey: string): void {
    const state = this.#directory.get(issuerKey);
    if (state?.ready) {
      this.#last.set(issuerKey, state.issuer);
      void this.#accounts.hold(holderOf(issuerKey), state.issuer.account);
    } else if (!this.#isNeeded(issuerKey) && this.#last.delete(issuerKey)) {
      void this.#accounts.release(holderOf(issuerKey));
    }
  }

  /** Subscribes to the directory. Returns the function that unsubscribes. */
  wire(): () => void {
    return this.#directory.onChange((issuerKey) => this.review(issuerKey));
  }
}

function holderOf(issuerKey: string): string {
  return `last session of ${issuerKey}`;
}
