import type { Clock } from '../lib/clock.ts';
import type { AccountMetrics } from '../metrics/accounts.ts';
import type { CallMetrics } from '../metrics/calls.ts';
import { createTinyCertClient } from '../tinycert/index.ts';
import { Account, type AccountConnection } from './tinycert-account.ts';
import { measure } from './measure.ts';
import { AccountRegistry } from './registry.ts';
import type { Rate } from './gate/token-bucket.ts';

/** Issuances under way at one account at most. A small service, and more gains nothing. */
const ISSUANCES_AT_ONCE = 16;

/** The TinyCert accounts in use. */
export type TinyCertAccounts = AccountRegistry<AccountConnection, Account>;

export interface TinyCertAccountsOptions {
  clock: Clock;
  metrics?: { calls: CallMetrics; accounts: AccountMetrics };
  /** Issuances over time at most, for each account; any number unless given. */
  rate?: Rate;
}

/** Whoever only knows the e-mail shares nothing but the gate, which protects the CA and not a secret. */
export function tinycertAccounts({ clock, metrics, rate }: TinyCertAccountsOptions): TinyCertAccounts {
  return new AccountRegistry<AccountConnection, Account>({
    clock,
    rate,
    readings: metrics?.accounts,
    atOnce: ISSUANCES_AT_ONCE,
    gateKey: ({ endpoint, credentials }) => `${endpoint}\n${credentials.email}`,
    open: (connection, gate) => {
      const client = createTinyCertClient({
        endpoint: connection.endpoint,
        credentials: connection.credentials,
        ca: connection.ca,
        allowLoopbackHttp: connection.allowLoopbackHttp,
        clock,
        connections: 2 * ISSUANCES_AT_ONCE,
        ...(metrics ? { onRequest: measure(metrics.calls) } : {}),
      });
      return new Account({ client, gate, apiKey: connection.credentials.apiKey });
    },
  });
}
