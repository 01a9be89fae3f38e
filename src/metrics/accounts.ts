import { Gauge, type Registry } from 'prom-client';

/** The state of the account behind one issuer. A CAcert account counts as the issuer of its certificates. */
export interface AccountReading {
  /** The issuer's key, such as `TinyCertIssuer:namespace/name`. */
  issuer: string;
  state: 'closed' | 'half-open' | 'open';
  pausedSeconds: number;
  waiting: number;
}

/** The metrics of all accounts, labelled by the issuers that use them: no label contains an e-mail address. */
export interface AccountMetrics {
  /** Adds a source that is read at each scrape. */
  attach(read: () => readonly AccountReading[]): void;
}

const stateValues = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Registers the metrics of accounts. */
export function createAccountMetrics(registry: Registry): AccountMetrics {
  const readers: (() => readonly AccountReading[])[] = [];
  const read = (): AccountReading[] => readers.flatMap((reader) => reader());
  const gauge = (name: string, help: string, value: (reading: AccountReading) => number): Gauge<'issuer'> =>
    new Gauge({
      name,
      help,
      labelNames: ['issuer'],
      registers: [registry],
      collect() {
        this.reset();
        for (const reading of read()) this.set({ issuer: reading.issuer }, value(reading));
      },
    });
  gauge(
    'tinycert_account_breaker_state',
    'Circuit breaker of the account of the issuer: 0 closed, 1 half-open, 2 open.',
    ({ state }) => stateValues[state],
  );
  gauge(
    'tinycert_account_rate_limit_pause_seconds',
    'Seconds left of the pause after the CA limited the rate of the account; 0 without a pause.',
    ({ pausedSeconds }) => pausedSeconds,
  );
  gauge(
    'tinycert_account_waiting',
    'Certificates that wait at the gate of the account of the issuer.',
    ({ waiting }) => waiting,
  );
  return {
    attach(reader) {
      readers.push(reader);
    },
  };
}
