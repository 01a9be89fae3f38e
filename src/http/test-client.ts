/** A plain client and servers that are closed after each test. */
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { ErrorMaker } from './error-codes.ts';
import { ApiError } from './errors.ts';
import { createCleaner } from './secrecy.ts';
import { Sender } from './sender.ts';
import { readOptions } from './settings.ts';
import { type Responder, TestServer, type TestTls } from './test-server.ts';
import type { CallOptions, ClientOptions } from './types.ts';

const closers: (() => Promise<unknown>)[] = [];

/** Calls `close` after the test, in reverse order of registration. */
export function afterTest(close: () => Promise<unknown>): void {
  closers.unshift(close);
}

/** Makes each test of a file close everything that it opened. */
export function closeAfterEach(): void {
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });
}

/** A server that leaves every request to `respond`. */
export async function serve(respond: Responder, tls?: TestTls, basePath?: string): Promise<TestServer> {
  const server = await TestServer.start(respond, tls, basePath);
  afterTest(() => server.close());
  return server;
}

/** Starts a server of the test itself on loopback and returns its port. */
export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** The error of the plain client. */
export class PlainError extends ApiError {
  readonly kind = 'plain';
}

export const makeError: ErrorMaker = (code, details) => new PlainError(code, 'It failed.', details);

export function invalidOptions(detail: string): PlainError {
  return new PlainError('InvalidOptions', 'It failed.', { call: 'connectTo', detail });
}

/** The options of a test request. */
export interface PostOptions extends CallOptions {
  /** Receives the body as it arrives. */
  sink?: (chunk: Buffer) => void;
  /** The most bytes of the reply. Default: 1 MiB. */
  maxBytes?: number;
}

/** A client without an API: it posts a form and returns the status and the text of the answer. */
export interface PlainClient {
  post(call: string, options?: PostOptions): Promise<{ status: number; text: string }>;
}

/** A plain client that ignores the proxy of the environment. */
export function connectTo(endpoint: string, options: ClientOptions = {}): PlainClient {
  const given = { endpoint, allowLoopbackHttp: true, env: {}, ...options };
  const settings = readOptions(given, { endpoint, userAgent: 'plain' }, invalidOptions);
  const sender = new Sender({ settings, headers: {}, clean: createCleaner([]), makeError });
  afterTest(() => sender.close());
  return {
    async post(call, { signal, deadlineMs, beforeSend, sink, maxBytes = 1024 * 1024 } = {}) {
      const time = sender.deadline({ signal, deadlineMs }, 20_000);
      const request = { call, body: 'a=b', signal: time.signal, beforeSend, maxBytes, sink };
      try {
        return await sender.send(request, ({ status, body }) => ({ status, text: body.toString() }));
      } finally {
        time.clear();
      }
    },
  };
}
