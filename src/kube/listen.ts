import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../lib/clock.ts';
import { AppError, clip } from '../lib/errors.ts';
import { unlessAborted } from '../lib/within.ts';

/** A handler's answer. */
export interface Answer {
  status: number;
  body: string;
  contentType?: string;
}

export interface ListenOptions {
  clock?: Clock;
  /** Ends the wait for the port, as while the name of the host is looked up. */
  signal?: AbortSignal | undefined;
}

/** A running listener. */
export interface Listener {
  /** The bound port; 0 if the listener is off. */
  readonly port: number;
  /** Stops accepting connections and resolves when the running requests have finished; those that take too long are cut off. */
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
/** How long running requests may take once the listener closes, in milliseconds: whoever reads slowly must not hold up a stop. */
export const CLOSE_MS = 1000;
const OFF: Listener = { port: 0, close: () => Promise.resolve() };

/**
 * Serves GET and HEAD over plain HTTP at `address`: `:8081` on all interfaces, `host:port`, `[v6]:port`, or `0` for no listener.
 * Refuses bodies, and limits headers, connections and time. Rejects with an `AddressError`, the system's error, or the signal's reason.
 */
export async function listen(
  address: string,
  handle: (url: URL) => Promise<Answer>,
  { clock = systemClock, signal }: ListenOptions = {},
): Promise<Listener> {
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
  const bound = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, resolve);
  });
  try {
    await (signal ? unlessAborted(bound, signal) : bound);
  } catch (error) {
    server.close();
    throw error;
  }
  return { port: (server.address() as AddressInfo).port, close: () => close(server, clock) };
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

async function close(server: Server, clock: Clock): Promise<void> {
  const cancel = clock.timer(CLOSE_MS, () => server.closeAllConnections());
  try {
    await new Promise<void>((resolve, reject) => {
      server.close((error) => (error ? reject(error) : resolve()));
      server.closeIdleConnections();
    });
  } finally {
    cancel();
  }
}
