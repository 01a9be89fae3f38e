import { type Clock, systemClock } from '../lib/clock.ts';
import { type Endpoint, type InvalidOptions, parseCaBundle, parseEndpoint } from './endpoint.ts';
import { proxyFor } from './proxy.ts';
import type { ClientOptions } from './types.ts';

/** The options of a client, checked and complete. */
export interface ClientSettings {
  readonly endpoint: Endpoint;
  readonly ca: readonly string[] | undefined;
  readonly proxy: URL | undefined;
  readonly connections: number;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly onRequest: ClientOptions['onRequest'];
}

/** Checks the options that all clients have. Throws the error of `invalidOptions`, which contains no option value. */
export function readOptions(
  options: ClientOptions,
  defaults: { readonly endpoint: string; readonly userAgent: string },
  invalidOptions: InvalidOptions,
): ClientSettings {
  const { connections = 16, userAgent = defaults.userAgent } = options;
  if (!Number.isSafeInteger(connections) || connections < 1)
    throw invalidOptions('connections must be a whole number of at least 1.');
  if (!/^[\x20-\x7e]+$/.test(userAgent)) throw invalidOptions('userAgent must be printable ASCII.');
  const { endpoint: text = defaults.endpoint, allowLoopbackHttp = false } = options;
  const endpoint = parseEndpoint(text, allowLoopbackHttp, invalidOptions);
  return {
    endpoint,
    ca: parseCaBundle(options.ca, invalidOptions),
    proxy: proxyFor(endpoint.url, options.env ?? process.env, invalidOptions),
    connections,
    userAgent,
    clock: options.clock ?? systemClock,
    onRequest: options.onRequest,
  };
}
