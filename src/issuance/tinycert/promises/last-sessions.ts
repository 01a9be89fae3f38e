import type { TinyCertAccounts } from '../../../account/tinycert-accounts.ts';
import type { IssuerDirectory, ReadyIssuer } from '../issuer-directory.ts';

/**
 * The issuers as they were last ready, with an account that stays usable: somebody deletes issuer and credentials, or
 * the namespace with all in it, and what was promised can be kept all the same. Without a promise nothing is kept.
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

  /** The issuer as it was last ready in this process. */
  get(issuerKey: string): ReadyIssuer | undefined {
    return this.#last.get(issuerKey);
  }

  /** Looks at an issuer that has changed, or whose promises have. */
  review(issuerKey: string): void {
    const state = this.#directory.get(issuerKey);
    if (state?.ready) {
      this.#last.set(issuerKey, state.issuer);
      void this.#accounts.hold(holderOf(issuerKey), state.issuer.account);
    } else if (!this.#isNeeded(issuerKey) && this.#last.delete(issuerKey)) {
      void this.#accounts.release(holderOf(issuerKey));
    }
  }

  /** Begins to listen. Returns the function that ends this. */
  wire(): () => void {
    return this.#directory.onChange((issuerKey) => this.review(issuerKey));
  }
}

function holderOf(issuerKey: string): string {
  return `last session of ${issuerKey}`;
}
