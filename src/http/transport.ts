import { createSecureContext, type SecureContext } from 'node:tls';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Endpoint } from './endpoint.ts';
import { Exchange, type ExchangeContext, type ExchangeRequest, type Reply } from './exchange.ts';

/** What a transport is made for. */
export interface TransportOptions extends ExchangeContext {
  readonly endpoint: Endpoint;
  readonly ca: readonly string[] | undefined;
  readonly proxy: URL | undefined;
  readonly connections: number;
  /** Headers of every request, beside those of its encoding. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A request ready to go. */
export interface TransportRequest extends ExchangeRequest {
  /** The encoded form. */
  readonly body: string;
}

/** Sends requests to one endpoint. */
export interface Transport {
  send(request: TransportRequest): Promise<Reply>;
  /** Ends all connections; requests under way fail with `Closed`. */
  close(): Promise<void>;
}

/** Milliseconds until a dead address is given up. */
const connectTimeout = 10_000;

/**
 * Milliseconds an idle connection is kept if the server says nothing: servers and middle boxes close idle connections
 * after five seconds and more, and a POST that meets a closing connection has an unknown outcome.
 */
const keepAliveTimeout = 4_000;
/** A server that says by `Keep-Alive: timeout=N` for how long it keeps one is believed up to this. */
const keepAliveMaxTimeout = 60_000;
/** But an idle connection is let go of so long before, since the word was given at the start of the idle time. */
const keepAliveTimeoutThreshold = 2_000;

/** Opens the connection pool of one endpoint. Nothing is connected before the first request. */
export function createTransport(options: TransportOptions): Transport {
  const { endpoint } = options;
  const dispatcher = createDispatcher(options);
  const { origin } = endpoint.url;
  const headers = {
    ...options.headers,
    'accept-encoding': 'identity',
    'content-type': 'application/x-www-form-urlencoded',
  };
  return {
    send(request) {
      const exchange = new Exchange(request, options);
      const path = endpoint.basePath + request.call;
      // An encoded form is ASCII.
      const body = Buffer.from(request.body, 'latin1');
      dispatcher.dispatch({ origin, path, method: 'POST', headers, body }, exchange);
      return exchange.reply;
    },
    close: () => dispatcher.destroy(),
  };
}

function createDispatcher({ endpoint, ca, proxy, connections }: TransportOptions): Dispatcher {
  // Made once: otherwise the bundle is parsed again for each connection.
  const secureContext: SecureContext | undefined = ca && createSecureContext({ ca: [...ca] });
  // Said explicitly, so that NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off.
  const tls = { rejectUnauthorized: true, ...(secureContext && { secureContext }) };
  const settings = {
    connections,
    connectTimeout,
    // An HTTP/2 session would put the send gate before undici's stream queue.
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout,
    keepAliveMaxTimeout,
    keepAliveTimeoutThreshold,
    // The call's deadline covers headers and body.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (!proxy) return new Pool(endpoint.url.origin, { ...settings, connect: tls });
  return new ProxyAgent({
    ...settings,
    uri: proxy.href,
    requestTls: { ...tls, allowH2: false },
    // The proxy is judged by the system's authorities; `ca` is for the endpoint.
    proxyTls: { rejectUnauthorized: true, allowH2: false },
    // A proxy that never answers a CONNECT must not hold a place in the pool for ever.
    clientFactory: (origin, opts) =>
      new Pool(origin, { ...opts, connections, headersTimeout: connectTimeout }),
  });
}
