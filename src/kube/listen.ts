import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError, clip } from '../lib/errors.ts';

/** A handler's answer. */
export interface Answer {
  status: number;
  body: string;
  contentType?: string;
}

/** A running listener. */
export interface Listener {
  /** The bound port; 0 if the listener is off. */
  readonly port: number;
  /** Stops accepting connections and resolves when the running requests have finished. */
  close(): Promise<void>;
}

/** A listen address that is not `0`, `:port` or `host:port`. */
export class AddressError extends AppError {
  readonly address: string;

  constructor(address: string) {
    super(
      'InvalidAddress',
      'Not a listen address: write :port or host:port, or 0 to switch the listener off.',
    );
    this.address = clip(address, 64);
  }
}

const REQUEST_MS = 5000;
const MAX_CONNECTIONS = 64;
const OFF: Listener = { port: 0, close: () => Promise.resolve() };

/**
 * Serves GET and HEAD over plain HTTP at `address`: `:8081` on all interfaces, `host:port`, `[v6]:port`, or `0` for no listener.
 * Refuses bodies, and limits headers, connections and time. Rejects with an `AddressError` or the system's error.
 */
export async function listen(address: string, handle: (url: URL) => Promise<Answer>): Promise<Listener> {
  const where = parseAddress(address);
  if (!where) return OFF;
  const server = createServer(
    {
      maxHeaderSize: 8192,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      keepAliveTimeout: REQUEST_MS,
      connectionsCheckingInterval: REQUEST_MS,
    },
    (request, response) => {
      respond(request, handle).then(
        (answer) => send(request, response, answer),
        () => send(request, response, { status: 500, body: 'internal error\n' }),
      );
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

/** Host and port of `address`; without a host, all interfaces. Undefined for `0`. Throws `AddressError`. */
export function parseAddress(address: string): { host?: string; port: number } | undefined {
  if (address === '0') return undefined;
  const match = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3] ?? NaN);
  if (!match || port > 65_535) throw new AddressError(address);
  const host = match[1] ?? match[2] ?? '';
  return host === '' ? { port } : { host, port };
}

async function respond(request: IncomingMessage, handle: (url: URL) => Promise<Answer>): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, body: 'method not allowed\n' };
  if (
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) > 0
  )
    return { status: 413, body: 'a body is not accepted\n' };
  const url = URL.parse(request.url ?? '/', 'http://listener');
  return url ? handle(url) : { status: 400, body: 'bad request\n' };
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, body, contentType = 'text/plain; charset=utf-8' } = answer;
  const refused = status === 405 || status === 413;
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(refused ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeIdleConnections();
  });
}
