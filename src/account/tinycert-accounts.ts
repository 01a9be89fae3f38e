import { type AccountDigest, accountDigest } from '../api/tinycert/identity.ts';
import type { Clock } from '../lib/clock.ts';
import type { AccountMetrics } from '../metrics/accounts.ts';
import type { CallMetrics } from '../metrics/calls.ts';
import { createTinyCertClient } from '../tinycert/index.ts';
import { Account, type AccountConnection } from './tinycert-account.ts';
import { measure } from './measure.ts';
import { AccountRegistry } from './registry.ts';
import type { Rate } from './gate/token-bucket.ts';

/** Most issuances under way at one account: as many as are reconciled at once unless a flag says otherwise (`--concurrency`). */
const ISSUANCES_AT_ONCE = 32;

/** The TinyCert accounts in use. */
export type TinyCertAccounts = AccountRegistry<AccountConnection, Account>;

export interface TinyCertAccountsOptions {
  clock: Clock;
  /** The installation's key for seals. */
  sealKey: () => Uint8Array;
  metrics?: { calls: CallMetrics; accounts: AccountMetrics };
  /** Most issuances over time, for each account; unlimited unless given. */
  rate?: Rate;
}

/** Creates the registry. Logins with the same e-mail share the gate alone: it protects the CA and no secret. */
export function tinycertAccounts({
  clock,
  sealKey,
  metrics,
  rate,
}: TinyCertAccountsOptions): TinyCertAccounts {
  return new AccountRegistry<AccountConnection, Account>({
    clock,
    rate,
    readings: metrics?.accounts,
    atOnce: ISSUANCES_AT_ONCE,
    gateKey: digestOf,
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
      const { apiKey } = connection.credentials;
      return new Account({ digest: digestOf(connection), client, gate, apiKey, sealKey: sealKey() });
    },
  });
}

function digestOf({ endpoint, credentials }: AccountConnection): AccountDigest {
  return accountDigest(endpoint, credentials.email);
}
