import { type CAcertClient, createCAcertClient } from '../cacert/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { AccountMetrics } from '../metrics/accounts.ts';
import type { CallMetrics } from '../metrics/calls.ts';
import { CAcertLogin, type CAcertConnection } from './cacert-account.ts';
import { measure } from './measure.ts';
import { AccountRegistry } from './registry.ts';

/** The CAcert accounts in use. */
export type CAcertAccounts = AccountRegistry<CAcertConnection, CAcertLogin>;

/** Counts calls while they are under way. */
interface Counter {
  during<T>(call: () => Promise<T>): Promise<T>;
}

export interface CAcertAccountsOptions {
  clock: Clock;
  /** Counts the calls that sign: what is lost of them is lost for good. */
  signing?: Counter;
  metrics?: { calls: CallMetrics; accounts: AccountMetrics };
}

/** Creates the registry. A call occupies one of CAcert's processes for 10 to 40 seconds, so an account makes one at a time. */
export function cacertAccounts({ clock, signing, metrics }: CAcertAccountsOptions): CAcertAccounts {
  return new AccountRegistry<CAcertConnection, CAcertLogin>({
    clock,
    readings: metrics?.accounts,
    atOnce: 1,
    gateKey: ({ endpoint, credentials }) => `${endpoint}\n${credentials.username}`,
    open: (connection, gate) => {
      const client = createCAcertClient({
        ...connection,
        systemCa: true,
        clock,
        connections: 2,
        ...(metrics ? { onRequest: measure(metrics.calls) } : {}),
      });
      return new CAcertLogin(signing ? counted(client, signing) : client, gate);
    },
  });
}

function counted(client: CAcertClient, signing: Counter): CAcertClient {
  return {
    getAccount: (options) => client.getAccount(options),
    signCertificate: (input, options) => signing.during(() => client.signCertificate(input, options)),
    clockOffset: () => client.clockOffset(),
    close: () => client.close(),
  };
}
