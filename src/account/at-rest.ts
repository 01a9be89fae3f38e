import type { Directory, State } from './directory.ts';

/**
 * The certificates that needed nothing when they were last reconciled, and the issuer or account that they found then. What a
 * check says concerns only the others: ten settled certificates must not be reconciled whenever a check fails in other words.
 * All of it may be lost.
 */
export class AtRest<I extends { account: object }> {
  readonly #directory: Pick<Directory<I>, 'get' | 'isAlike'>;
  readonly #found = new Map<string, State<I>>();

  constructor(directory: Pick<Directory<I>, 'get' | 'isAlike'>) {
    this.#directory = directory;
  }

  /** Notes whether a certificate needs nothing. Nothing is certain before its issuer has been checked. */
  note(key: string, needsNothing: boolean, issuer: State<I> | undefined): void {
    if (needsNothing && issuer) this.#found.set(key, issuer);
    else this.#found.delete(key);
  }

  forget(key: string): void {
    this.#found.delete(key);
  }

  /** Whether a change of the issuer with the key `issuer` may mean something to a certificate. */
  isConcerned(key: string, issuer: string): boolean {
    const found = this.#found.get(key);
    const now = this.#directory.get(issuer);
    if (!found || !now) return true;
    return now.ready && !this.#directory.isAlike(found, now);
  }
}
