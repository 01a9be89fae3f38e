import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { canonicalJson } from '../lib/hash.ts';
import type { AccountMetrics, AccountReading } from '../metrics/accounts.ts';
import { Gate } from './gate/gate.ts';
import type { Rate } from './gate/token-bucket.ts';

export interface AccountRegistryOptions<C, A> {
  clock: Clock;
  /** Most issuances under way at one account. */
  atOnce: number;
  /** Most issuances over time, for each account; unlimited unless given. */
  rate?: Rate | undefined;
  /** Metrics of the accounts. */
  readings?: AccountMetrics | undefined;
  /** Accounts with the same key share one gate: those of one login, whatever else differs. */
  gateKey: (connection: C) => string;
  open: (connection: C, gate: Gate) => A;
}

interface Shared<T> {
  value: T;
  holders: Set<string>;
}

/** The accounts in use. Holders (issuers) with equal connections share one account, and so one session. */
export class AccountRegistry<C extends object, A extends { gate: Gate; close(): Promise<void> }> {
  readonly #options: AccountRegistryOptions<C, A>;
  readonly #accounts = new Map<string, Shared<A>>();
  readonly #gates = new Map<string, Gate>();
  /** The digest of each holder's connection. */
  readonly #digests = new Map<string, string>();
  readonly #listeners = new Set<(holder: string) => void>();

  constructor(options: AccountRegistryOptions<C, A>) {
    this.#options = options;
    options.readings?.attach(() => this.#readings());
  }

  /** Calls back with each holder whose account was stopped or resumed. Returns the function that ends this. */
  onChange(listener: (holder: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The account for `connection`. A holder has one account: a different one from before is released. */
  async acquire(holder: string, connection: C): Promise<A> {
    const digest = digestOf(connection);
    const before = this.#digests.get(holder);
    const shared = this.#accounts.get(digest) ?? this.#open(digest, connection);
    shared.holders.add(holder);
    this.#digests.set(holder, digest);
    if (before !== digest) {
      // New credentials or trust may have fixed whatever stopped the account.
      shared.value.gate.hurry();
      if (before !== undefined) await this.#leave(holder, before);
    }
    return shared.value;
  }

  /**
   * Makes `holder` a holder of an account that another holder acquired, so that the account stays usable when that one
   * releases it. Does nothing if the account is closed.
   */
  async hold(holder: string, account: A): Promise<void> {
    const [digest, shared] = [...this.#accounts].find(([, { value }]) => value === account) ?? [];
    const before = this.#digests.get(holder);
    if (digest === undefined || digest === before) return;
    shared?.holders.add(holder);
    this.#digests.set(holder, digest);
    if (before !== undefined) await this.#leave(holder, before);
  }

  /** Releases the holder's account; the release by the last holder closes its connections. */
  async release(holder: string): Promise<void> {
    const digest = this.#digests.get(holder);
    this.#digests.delete(holder);
    if (digest !== undefined) await this.#leave(holder, digest);
  }

  /** How many accounts, gates and holders there are. */
  get size(): { accounts: number; gates: number; holders: number } {
    return { accounts: this.#accounts.size, gates: this.#gates.size, holders: this.#digests.size };
  }

  /** `Gate.begin` at all gates: a key that moved to another account may have a place at the one before. */
  begin(key: string): () => void {
    const ends = [...this.#gates.values()].map((gate) => gate.begin(key));
    return () => {
      for (const end of ends) end();
    };
  }

  /** `Gate.forget` at all gates. */
  forget(key: string): void {
    for (const gate of this.#gates.values()) gate.forget(key);
  }

  /** Closes all accounts and their gates, at the end of the process. */
  async close(): Promise<void> {
    const accounts = [...this.#accounts.values()];
    this.#accounts.clear();
    this.#digests.clear();
    for (const gate of this.#gates.values()) gate.close();
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

  /**
   * Ends the gates that no account uses. One with a rate limit that lasts, or with work under way, is looked at again when a
   * gate changes or an account closes: whoever deletes an issuer and creates it again must get round neither.
   */
  #endUnusedGates(): void {
    const used = new Set([...this.#accounts.values()].map(({ value }) => value.gate));
    for (const [key, gate] of this.#gates)
      if (!used.has(gate) && gate.pausedFor === 0 && gate.load.inside === 0) this.#gates.delete(key);
  }

  #tell(gate: Gate): void {
    this.#endUnusedGates();
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
        waiting: gate.load.parked,
      })),
    );
  }

  async #leave(holder: string, digest: string): Promise<void> {
    const shared = this.#accounts.get(digest);
    if (!shared) return;
    shared.holders.delete(holder);
    if (shared.holders.size > 0) return;
    this.#accounts.delete(digest);
    this.#endUnusedGates();
    await shared.value.close();
  }
}

function digestOf(connection: object): string {
  return createHash('sha256').update(canonicalJson(connection)).digest('hex');
}
