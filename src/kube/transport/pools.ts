import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { ClusterConnection, TlsMaterial } from '../config/connection.ts';

/** What a connection is for. Streams have connections of their own, so watches cannot starve requests. */
export type Purpose = 'requests' | 'streams';

interface Generation {
  readonly version: string;
  readonly requests: Dispatcher;
  readonly streams: Dispatcher;
}

/**
 * The connections to the API server. New TLS material opens new pools; the old ones accept no new work and close when their last
 * request or stream ends.
 */
export class Pools {
  readonly #connection: ClusterConnection;
  readonly #connections: number;
  /** Scheme, host and port of the server. */
  readonly origin: string;
  #current: Generation;
  readonly #draining = new Set<Generation>();

  constructor(connection: ClusterConnection, connections: number) {
    this.#connection = connection;
    this.#connections = connections;
    this.origin = new URL(connection.server).origin;
    this.#current = this.#open(connection.tls());
  }

  dispatcher(purpose: Purpose): Dispatcher {
    const tls = this.#connection.tls();
    if (tls.version !== this.#current.version) {
      this.#drain(this.#current);
      this.#current = this.#open(tls);
    }
    return this.#current[purpose];
  }

  /** Cuts the streams and waits for the requests. May be called again. */
  async close(): Promise<void> {
    const all = [this.#current, ...this.#draining];
    await Promise.all(all.map(({ streams }) => streams.destroy()));
    await Promise.all(all.map(({ requests }) => closed(requests)));
  }

  /** Cuts off what still runs, which also ends a `close`. */
  destroy(): void {
    for (const { requests, streams } of [this.#current, ...this.#draining])
      for (const dispatcher of [requests, streams]) dispatcher.destroy(() => undefined);
  }

  #open(tls: TlsMaterial): Generation {
    return {
      version: tls.version,
      requests: open(this.#connection, tls, this.#connections),
      streams: open(this.#connection, tls, null),
    };
  }

  #drain(generation: Generation): void {
    this.#draining.add(generation);
    let left = 2;
    const forget = (): void => {
      left -= 1;
      if (left === 0) this.#draining.delete(generation);
    };
    generation.requests.close(forget);
    generation.streams.close(forget);
  }
}

/**
 * HTTP/1.1 only, though undici 8 supports HTTP/2: there, one stall or one `--goaway-chance` hits every watch at once. The idle time
 * is less than the 90 seconds after which the API server closes a connection, so no request is sent on a closing one.
 */
function open(connection: ClusterConnection, tls: TlsMaterial, connections: number | null): Dispatcher {
  const { version: _, ...material } = tls;
  const connect = { ...material, keepAlive: true, keepAliveInitialDelay: 30_000 };
  const options = {
    connections,
    allowH2: false,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 55_000,
    keepAliveMaxTimeout: 60_000,
  };
  if (connection.proxyUrl === undefined)
    return new Pool(new URL(connection.server).origin, { ...options, connect });
  return new ProxyAgent({
    ...options,
    uri: connection.proxyUrl,
    requestTls: { ...connect, allowH2: false },
    proxyTls: { allowH2: false },
  });
}

/** Resolves when the dispatcher is closed, also if it was closed before, which undici reports as an error. */
async function closed(dispatcher: Dispatcher): Promise<void> {
  await new Promise<void>((resolve) => dispatcher.close(() => resolve()));
}
