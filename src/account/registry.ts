import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { canonicalJson } from '../lib/hash.ts';
import type { AccountReading } from '../metrics/accounts.ts';
import type { TinyCertMetrics } from '../metrics/registry.ts';
import { createTinyCertClient } from '../tinycert/index.ts';
import { Account, type AccountConnection } from './account.ts';
import { Gate } from './gate.ts';
import { measure } from './measure.ts';
import type { Rate } from './token-bucket.ts';

/** Issuances under way at one account at most. A small service, and more gains nothing. */
const ISSUANCES_AT_ONCE = 16;

export interface AccountRegistryOptions {
  clock: Clock;
  metrics?: Pick<TinyCertMetrics, 'requests' | 'duration' | 'accounts'>;
  /** Issuances over time at most, for each account; any number unless given. */
  rate?: Rate;
}

interface Shared<T> {
  value: T;
  holders: Set<string>;
}

/**
 * The accounts in use. Holders (issuers) with equal endpoint, CA bundle and credentials share one session; whoever
 * only knows the e-mail shares nothing but the gate, which protects the CA and not a secret.
 */
export class AccountRegistry {
  readonly #clock: Clock;
  readonly #metrics: AccountRegistryOptions['metrics'];
  readonly #rate: Rate | undefined;
  readonly #accounts = new Map<string, Shared<Account>>();
  readonly #gates = new Map<string, Gate>();
  readonly #held = new Map<string, string>();
  readonly #listeners = new Set<(holder: string) => void>();

  constructor(options: AccountRegistryOptions) {
    this.#clock = options.clock;
    this.#metrics = options.metrics;
    this.#rate = options.rate;
    options.metrics?.accounts.attach(() => this.#readings());
  }

  /** Calls back with each holder whose account was stopped or goes on. Returns the function that ends this. */
  onChange(listener: (holder: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The account for `connection`. A holder has one account; the one it had before is let go if it is another. */
  async acquire(holder: string, connection: AccountConnection): Promise<Account> {
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
  async hold(holder: string, account: Account): Promise<void> {
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

  #open(digest: string, connection: AccountConnection): Shared<Account> {
    const client = createTinyCertClient({
      endpoint: connection.endpoint,
      credentials: connection.credentials,
      ca: connection.ca,
      allowLoopbackHttp: connection.allowLoopbackHttp,
      clock: this.#clock,
      connections: 2 * ISSUANCES_AT_ONCE,
      ...(this.#metrics ? { onRequest: measure(this.#metrics) } : {}),
    });
    const account = new Account({
      client,
      gate: this.#gate(connection),
      apiKey: connection.credentials.apiKey,
    });
    const shared = { value: account, holders: new Set<string>() };
    this.#accounts.set(digest, shared);
    return shared;
  }

  #gate(connection: AccountConnection): Gate {
    const key = `${connection.endpoint}\n${connection.credentials.email}`;
    const known = this.#gates.get(key);
    if (known) return known;
    const gate = new Gate({ limit: ISSUANCES_AT_ONCE, clock: this.#clock, rate: this.#rate });
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

function digestOf(connection: AccountConnection): string {
  return createHash('sha256').update(canonicalJson(connection)).digest('hex');
}
