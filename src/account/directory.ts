import type { Reason } from '../lib/reason.ts';

/** What this process knows of an issuer or account. Controllers act on this alone; its status is for people. */
export type State<I extends { account: object }> =
  | { ready: true; issuer: I }
  /** `account`: set if there is one that cannot be used at the moment. */
  | ({ ready: false; account?: I['account'] } & Reason);

type Listener = (key: string) => void;

/** Issuers or accounts as this process found them. Their controller writes it, and certificate controllers read it. */
export class Directory<I extends { account: object }> {
  readonly #isSame: (a: I, b: I) => boolean;
  readonly #states = new Map<string, State<I>>();
  readonly #changed = new Set<Listener>();
  readonly #faulted = new Set<Listener>();

  /** `isSame`: whether two ready ones are interchangeable for certificates that wait for one. */
  constructor(isSame: (a: I, b: I) => boolean) {
    this.#isSame = isSame;
  }

  get(key: string): State<I> | undefined {
    return this.#states.get(key);
  }

  /** All that are ready. */
  *ready(): Generator<I> {
    for (const state of this.#states.values()) if (state.ready) yield state.issuer;
  }

  /** Sets a state, and calls the listeners if it differs from the last one in what matters to certificates. */
  set(key: string, state: State<I>): void {
    const before = this.#states.get(key);
    this.#states.set(key, state);
    if (!before || !this.isAlike(before, state)) for (const listener of this.#changed) listener(key);
  }

  /** Removes an issuer or account that is gone. */
  delete(key: string): void {
    if (this.#states.delete(key)) for (const listener of this.#changed) listener(key);
  }

  get size(): number {
    return this.#states.size;
  }

  /**
   * Makes everything that uses the account not ready, because of a fault of the account that a certificate met, until the
   * controllers have checked it.
   */
  fault(account: I['account'], { reason, message }: Reason): void {
    for (const [key, state] of this.#states) {
      if (!state.ready || state.issuer.account !== account) continue;
      this.set(key, { ready: false, reason, message, account });
      for (const listener of this.#faulted) listener(key);
    }
  }

  /** Calls back when a state changed. Returns the function that ends this. */
  onChange(listener: Listener): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  /** Calls back when a fault was reported. Returns the function that ends this. */
  onFault(listener: Listener): () => void {
    this.#faulted.add(listener);
    return () => this.#faulted.delete(listener);
  }

  /** Whether two states are the same to certificates. */
  isAlike(a: State<I>, b: State<I>): boolean {
    if (a.ready || b.ready)
      return a.ready && b.ready && a.issuer.account === b.issuer.account && this.#isSame(a.issuer, b.issuer);
    return a.reason === b.reason && a.message === b.message && a.account === b.account;
  }
}
