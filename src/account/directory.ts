import type { Reason } from '../lib/reason.ts';

/** What is known in this process of something that certificates are had from. Status tells people; only this is acted on. */
export type State<I extends { account: object }> =
  | { ready: true; issuer: I }
  /** `account`: where there is one that the CA only cannot be asked with now. */
  | ({ ready: false; account?: I['account'] } & Reason);

type Listener = (key: string) => void;

/** Issuers or accounts as this process found them: written by their controller, read by those who need certificates. */
export class Directory<I extends { account: object }> {
  readonly #isSame: (a: I, b: I) => boolean;
  readonly #states = new Map<string, State<I>>();
  readonly #changed = new Set<Listener>();
  readonly #faulted = new Set<Listener>();

  /** `isSame`: whether two of them make no difference to who waits for one. */
  constructor(isSame: (a: I, b: I) => boolean) {
    this.#isSame = isSame;
  }

  get(key: string): State<I> | undefined {
    return this.#states.get(key);
  }

  /** Sets what is known, and tells whoever waits for it if that makes a difference to them. */
  set(key: string, state: State<I>): void {
    const before = this.#states.get(key);
    this.#states.set(key, state);
    if (!before || !this.#isAlike(before, state)) for (const listener of this.#changed) listener(key);
  }

  /** It is gone. */
  delete(key: string): void {
    if (this.#states.delete(key)) for (const listener of this.#changed) listener(key);
  }

  /**
   * Somebody met a fault that is the account's and not their own: nobody tries with anything that has the account until
   * the controllers have looked.
   */
  fault(account: I['account'], { reason, message }: Reason): void {
    for (const [key, state] of this.#states) {
      if (!state.ready || state.issuer.account !== account) continue;
      this.set(key, { ready: false, reason, message, account });
      for (const listener of this.#faulted) listener(key);
    }
  }

  /** Calls back when something changed. Returns the function that ends this. */
  onChange(listener: Listener): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  /** Calls back when a fault was reported. Returns the function that ends this. */
  onFault(listener: Listener): () => void {
    this.#faulted.add(listener);
    return () => this.#faulted.delete(listener);
  }

  #isAlike(a: State<I>, b: State<I>): boolean {
    if (a.ready || b.ready)
      return a.ready && b.ready && a.issuer.account === b.issuer.account && this.#isSame(a.issuer, b.issuer);
    return a.reason === b.reason && a.message === b.message && a.account === b.account;
  }
}
