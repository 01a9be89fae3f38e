import { type BackoffOptions, backoffDelay } from '../lib/backoff.ts';

/** Shorter than any time after which a sound account is looked at again. */
const FRESH_MS = 600_000;
/** How soon to look at an account that a certificate met a fault of, by faults in a row. */
const AFTER_FAULT: BackoffOptions = { base: 1_000, max: 300_000, jitter: 0.2 };

/**
 * Counts, for each who has an account, checks that failed in a row and faults that certificates met. A CA that answers every check and
 * fails every issuance must not be asked ever faster, so that a check that succeeds does not end the count of faults.
 */
export class Failures<A> {
  readonly #checks = new Map<string, number>();
  readonly #faults = new Map<string, { count: number; last: number }>();
  readonly #checked = new Map<string, { account: A; generation: number | undefined; at: number }>();

  /** Counts a failed check; returns how many there were in a row. */
  count(key: string): number {
    const count = (this.#checks.get(key) ?? 0) + 1;
    this.#checks.set(key, count);
    return count;
  }

  /** A check succeeded. */
  succeeded(key: string, account: A, generation: number | undefined, monotonic: number): void {
    this.#checks.delete(key);
    this.#checked.set(key, { account, generation, at: monotonic });
  }

  /** Whether a check succeeded a moment ago, so that another one would say nothing new. */
  isFresh(key: string, account: A, generation: number | undefined, monotonic: number): boolean {
    const last = this.#checked.get(key);
    return last?.account === account && last.generation === generation && monotonic - last.at < FRESH_MS;
  }

  /** Who had it is gone. */
  forget(key: string): void {
    this.#checks.delete(key);
    this.#checked.delete(key);
    this.#faults.delete(key);
  }

  /** Counts a fault that a certificate met; returns how long to wait before the account is looked at. */
  fault(key: string, monotonic: number): number {
    const before = this.#faults.get(key);
    const isQuiet = before === undefined || monotonic - before.last > 2 * AFTER_FAULT.max;
    const count = isQuiet ? 1 : before.count + 1;
    this.#faults.set(key, { count, last: monotonic });
    return backoffDelay(AFTER_FAULT, count);
  }
}
