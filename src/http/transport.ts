import { createSecureContext, type SecureContext } from 'node:tls';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Endpoint } from './endpoint.ts';
import { Exchange, type ExchangeContext, type ExchangeRequest, type Reply } from './exchange.ts';

/** What a transport needs. */
export interface TransportOptions extends ExchangeContext {
  readonly endpoint: Endpoint;
  readonly ca: readonly string[] | undefined;
  readonly proxy: URL | undefined;
  readonly connections: number;
  /** Headers of every request, in addition to those of its encoding. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A request that is ready to send. */
export interface TransportRequest extends ExchangeRequest {
  /** The encoded form. */
  readonly body: string;
}

/** Sends requests to one endpoint. */
export interface Transport {
  send(request: TransportRequest): Promise<Reply>;
  /** Closes all connections. Requests in progress fail with `Closed`. */
  close(): Promise<void>;
}

/** Milliseconds until an attempt to connect fails. */
const connectTimeout = 10_000;

/**
 * Milliseconds to keep an idle connection if the server gives no hint. Servers and middleboxes close idle connections
 * after five seconds or more, and a POST on a closing connection has an unknown outcome.
 */
const keepAliveTimeout = 4_000;
/** The most milliseconds to keep one if the server sends `Keep-Alive: timeout=N`. */
const keepAliveMaxTimeout = 60_000;
/** Milliseconds before the end of that time at which it is dropped, because the server's clock for it started earlier. */
const keepAliveTimeoutThreshold = 2_000;

/** Creates the connection pool of one endpoint. It connects with the first request. */
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
  // Created once; otherwise every connection would parse the bundle again.
  const secureContext: SecureContext | undefined = ca && createSecureContext({ ca: [...ca] });
  // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED could turn off the default.
  const tls = { rejectUnauthorized: true, ...(secureContext && { secureContext }) };
  const settings = {
    connections,
    connectTimeout,
    // With HTTP/2 the send gate would run before undici queues the stream.
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout,
    keepAliveMaxTimeout,
    keepAliveTimeoutThreshold,
    // The deadline of the call covers headers and body.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (!proxy) return new Pool(endpoint.url.origin, { ...settings, connect: tls });
  return new ProxyAgent({
    ...settings,
    uri: proxy.href,
    requestTls: { ...tls, allowH2: false },
    // The proxy is verified with the system's authorities; `ca` is for the endpoint only.
    proxyTls: { rejectUnauthorized: true, allowH2: false },
    // A proxy that never answers a CONNECT must not occupy a place in the pool forever.
    clientFactory: (origin, opts) =>
      new Pool(origin, { ...opts, connections, headersTimeout: connectTimeout }),
  });
}
