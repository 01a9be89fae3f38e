import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { canonicalJson } from '../lib/hash.ts';
import type { AccountMetrics, AccountReading } from '../metrics/accounts.ts';
import { Gate } from './gate/gate.ts';
import type { Rate } from './gate/token-bucket.ts';

export interface AccountRegistryOptions<C, A> {
  clock: Clock;
  /** Issuances under way at one account at most. */
  atOnce: number;
  /** Issuances over time at most, for each account; any number unless given. */
  rate?: Rate | undefined;
  /** What tells how the accounts are. */
  readings?: AccountMetrics | undefined;
  /** Accounts with the same key go through one gate: those of one login, whatever else differs. */
  gateKey: (connection: C) => string;
  open: (connection: C, gate: Gate) => A;
}

interface Shared<T> {
  value: T;
  holders: Set<string>;
}

/** The accounts in use. Holders (issuers) whose connections are equal in all share one account, and so one session. */
export class AccountRegistry<C extends object, A extends { gate: Gate; close(): Promise<void> }> {
  readonly #options: AccountRegistryOptions<C, A>;
  readonly #accounts = new Map<string, Shared<A>>();
  readonly #gates = new Map<string, Gate>();
  readonly #held = new Map<string, string>();
  readonly #listeners = new Set<(holder: string) => void>();

  constructor(options: AccountRegistryOptions<C, A>) {
    this.#options = options;
    options.readings?.attach(() => this.#readings());
  }

  /** Calls back with each holder whose account was stopped or goes on. Returns the function that ends this. */
  onChange(listener: (holder: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The account for `connection`. A holder has one account; the one it had before is let go if it is another. */
  async acquire(holder: string, connection: C): Promise<A> {
    const digest = digestOf(connection);
    const before = this.#held.get(holder);
    const shared = this.#accounts.get(digest) ?? this.#open(digest, connection);
    shared.holders.add(holder);
    this.#held.set(holder, digest);
    if (before !== digest) {
      // Credentials or trust are new: what stopped the account may be mended by them.
      shared.value.gate.breaker.hurry();
      if (before !== undefined) await this.#leave(holder, before);
    }
    return shared.value;
  }

  /**
   * Makes `holder` a holder of an account that somebody else has acquired, so that it stays usable when they let go. Does
   * nothing for an account that is closed.
   */
  async hold(holder: string, account: A): Promise<void> {
    const [digest, shared] = [...this.#accounts].find(([, { value }]) => value === account) ?? [];
    const before = this.#held.get(holder);
    if (digest === undefined || digest === before) return;
    shared?.holders.add(holder);
    this.#held.set(holder, digest);
    if (before !== undefined) await this.#leave(holder, before);
  }

  /** Lets go of the holder's account; the last one to go closes its connections. */
  async release(holder: string): Promise<void> {
    const digest = this.#held.get(holder);
    this.#held.delete(holder);
    if (digest !== undefined) await this.#leave(holder, digest);
  }

  /** Ends all sessions, for the end of the process. */
  async close(): Promise<void> {
    const accounts = [...this.#accounts.values()];
    this.#accounts.clear();
    this.#held.clear();
    await Promise.all(accounts.map((shared) => shared.value.close()));
  }

  #open(digest: string, connection: C): Shared<A> {
    const value = this.#options.open(connection, this.#gate(connection));
    const shared = { value, holders: new Set<string>() };
    this.#accounts.set(digest, shared);
    return shared;
  }

  #gate(connection: C): Gate {
    const { clock, atOnce: limit, rate, gateKey } = this.#options;
    const key = gateKey(connection);
    const known = this.#gates.get(key);
    if (known) return known;
    const gate = new Gate({ limit, clock, rate });
    gate.onChange(() => this.#tell(gate));
    this.#gates.set(key, gate);
    return gate;
  }

  #tell(gate: Gate): void {
    for (const { value, holders } of this.#accounts.values())
      if (value.gate === gate)
        for (const holder of holders) for (const listener of this.#listeners) listener(holder);
  }

  #readings(): AccountReading[] {
    return [...this.#accounts.values()].flatMap(({ value: { gate }, holders }) =>
      [...holders].map((issuer) => ({
        issuer,
        state: gate.breaker.state,
        pausedSeconds: gate.pausedFor / 1000,
        waiting: gate.load.waiting + gate.load.parked,
      })),
    );
  }

  async #leave(holder: string, digest: string): Promise<void> {
    const shared = this.#accounts.get(digest);
    if (!shared) return;
    shared.holders.delete(holder);
    if (shared.holders.size > 0) return;
    this.#accounts.delete(digest);
    await shared.value.close();
  }
}

function digestOf(connection: object): string {
  return createHash('sha256').update(canonicalJson(connection)).digest('hex');
}
