/** Clients and servers for one test, closed after it. */
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach } from 'vitest';
import { createTinyCertClient } from './client.ts';
import { credentials, reply, type Responder, TestServer, type TestTls, withLogin } from './test-server.ts';
import type { TinyCertClient, TinyCertClientOptions } from './types.ts';

const closers: (() => Promise<unknown>)[] = [];

/** Closes something after the test, before what was given earlier. */
export function afterTest(close: () => Promise<unknown>): void {
  closers.unshift(close);
}

/** Arranges that each test of a file closes what it opened. */
export function closeAfterEach(): void {
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });
}

/** A server that answers logins by itself. */
export function serve(respond: Responder, tls?: TestTls): Promise<TestServer> {
  return serveAll(withLogin(respond), tls);
}

/** A server that leaves logins to `respond`, too. */
export async function serveAll(respond: Responder, tls?: TestTls): Promise<TestServer> {
  const server = await TestServer.start(respond, tls);
  afterTest(() => server.close());
  return server;
}

/** A client that takes no proxy from the environment. */
export function connectTo(endpoint: string, options: Partial<TinyCertClientOptions> = {}): TinyCertClient {
  const client = createTinyCertClient({
    endpoint,
    credentials,
    allowLoopbackHttp: true,
    env: {},
    ...options,
  });
  afterTest(() => client.close());
  return client;
}

/** A client whose every call but the login is answered with `body`. */
export async function answering(body: unknown): Promise<{ server: TestServer; client: TinyCertClient }> {
  const server = await serve((request) => reply(request, body));
  return { server, client: connectTo(server.endpoint) };
}

/** Lets a server of the test's own listen on loopback. */
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
