import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { ClusterConnection, TlsMaterial } from '../../../src/kube/config/connection.ts';

/** A real server on loopback that answers as a test wants. It does not imitate an API server. */
export interface LocalServer {
  readonly url: string;
  /** All sockets that were opened to it. */
  readonly sockets: ReadonlySet<Socket>;
  /** Ends it and everything open. */
  close(): Promise<void>;
}

export async function listenLocally(handler: RequestListener): Promise<LocalServer> {
  return listen(createServer(handler), 'http');
}

/** Starts a server of the test on a free port. */
export async function listen(server: NetServer, scheme: string): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    sockets,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A connection without files, with the test's values. */
export function plainConnection(server: string, fields: Partial<ClusterConnection> = {}): ClusterConnection {
  const tls: TlsMaterial = { version: '1' };
  return { server, tls: () => tls, authorization: async () => undefined, isLoading: () => false, ...fields };
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** The body of a refusal in the API server's form. */
export function refusal(code: number, reason: string, extra: object = {}): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: `refused: ${reason}`,
    ...extra,
  };
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** A promise and the functions that settle it, for tests that wait for something on the other side. */
export function signalled<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, resolve };
}
