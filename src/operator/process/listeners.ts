import type { Clock } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Listener } from '../../kube/listen.ts';
import { type Checks, type MetricsSource, serveHealth, serveMetrics } from '../../kube/serve.ts';
import { within } from '../../lib/within.ts';
import { type AddressFlag, variableOf } from '../flags.ts';

/** How long a port may take to be bound, in milliseconds: the name of a host has to be looked up. */
const BIND_MS = 10_000;

/** The address of a flag cannot be listened on. The message names the flag and states what to do. */
export class AddressUnusable extends AppError {
  constructor(flag: AddressFlag, address: string, cause: unknown) {
    super(
      'AddressUnusable',
      `--${flag}: ${address} ${reasonOf(cause)}, or 0 for none (${variableOf(flag)}).`,
      {
        cause,
      },
    );
  }
}

/** The host name in an address was not found in time. */
class BindTimeout extends AppError {
  constructor() {
    super('BindTimeout', 'The address was not bound in time.');
  }
}

export interface ListenersOptions {
  settings: Readonly<Record<'metricsBindAddress' | 'healthProbeBindAddress', string>>;
  registry: MetricsSource;
  livez: Checks;
  readyz: Checks;
  clock: Clock;
  log: Logger;
  /** Ends the wait for a port. */
  signal: AbortSignal;
}

/**
 * Serves metrics and health. They come before everything else that can take time, so that probes have an answer meanwhile. Resolves
 * with the function that closes both. Rejects with `AddressUnusable`, or the signal's reason.
 */
export async function openListeners(options: ListenersOptions): Promise<() => Promise<void>> {
  const { settings, registry, livez, readyz, clock, log, signal } = options;
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  async function bind(
    flag: AddressFlag,
    address: string,
    serve: (signal: AbortSignal) => Promise<Listener>,
  ): Promise<void> {
    try {
      listeners.push(await within(clock, BIND_MS, () => new BindTimeout(), serve, signal));
    } catch (error) {
      await close();
      signal.throwIfAborted();
      throw new AddressUnusable(flag, address, error);
    }
  }
  const { metricsBindAddress: metrics, healthProbeBindAddress: probes } = settings;
  await bind('metrics-bind-address', metrics, (signal) =>
    serveMetrics({ address: metrics, registry, clock, signal }),
  );
  await bind('health-probe-bind-address', probes, (signal) =>
    serveHealth({ address: probes, livez, readyz, clock, log, signal }),
  );
  return close;
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  switch (code) {
    case 'EADDRINUSE':
      return 'is in use already: end what listens there, or give another address';
    case 'EACCES':
      return 'may not be used by this user: give a port from 1024 upwards';
    case 'EADDRNOTAVAIL':
      return 'is no address of this machine: give one that is, or none before the colon for all';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'BindTimeout':
      return 'has a host name that cannot be looked up: give an IP address';
    default:
      return `cannot be listened on (${code}): give another address`;
  }
}
