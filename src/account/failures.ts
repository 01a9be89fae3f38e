import { type BackoffOptions, backoffDelay } from '../lib/backoff.ts';

/** How long a successful check stays fresh, in milliseconds: less than any interval between checks. */
export const FRESH_MS = 600_000;
/** How soon to check an account after a certificate met a fault of it, by consecutive faults. */
export const CHECK_AFTER_FAULT: BackoffOptions = { base: 1_000, max: 300_000, jitter: 0.2 };

/**
 * Counts, for each holder of an account, consecutive failed checks and the faults that certificates met. A successful check
 * does not reset the count of faults: a CA that answers every check and fails every issuance must be tried ever more rarely.
 */
export class Failures<A> {
  readonly #random: (() => number) | undefined;
  readonly #checks = new Map<string, number>();
  readonly #faults = new Map<string, { count: number; last: number }>();
  readonly #checked = new Map<string, { account: A; generation: number | undefined; at: number }>();

  /** `random` spreads the delays. */
  constructor(random?: () => number) {
    this.#random = random;
  }

  /** Counts a failed check; returns how many have failed consecutively. */
  count(key: string): number {
    const count = (this.#checks.get(key) ?? 0) + 1;
    this.#checks.set(key, count);
    return count;
  }

  /** Notes a successful check of a resource in a generation. `monotonic`: now, in milliseconds. */
  succeeded(key: string, account: A, generation: number | undefined, monotonic: number): void {
    this.#checks.delete(key);
    this.#checked.set(key, { account, generation, at: monotonic });
  }

  /** Whether the same account and generation were checked so recently that another check would find nothing new. */
  isFresh(key: string, account: A, generation: number | undefined, monotonic: number): boolean {
    const last = this.#checked.get(key);
    return last?.account === account && last.generation === generation && monotonic - last.at < FRESH_MS;
  }

  /** Forgets a holder that is gone. */
  forget(key: string): void {
    this.#checks.delete(key);
    this.#checked.delete(key);
    this.#faults.delete(key);
  }

  /** Counts a fault that a certificate met; returns how long to wait before the account is checked, in milliseconds. */
  fault(key: string, monotonic: number): number {
    const before = this.#faults.get(key);
    const isQuiet = before === undefined || monotonic - before.last > 2 * CHECK_AFTER_FAULT.max;
    const count = isQuiet ? 1 : before.count + 1;
    this.#faults.set(key, { count, last: monotonic });
    return backoffDelay(CHECK_AFTER_FAULT, count, this.#random);
  }
}
