import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, expect } from 'vitest';
import { ApiError } from '../../../src/kube/errors.ts';
import { Transport, type TransportOptions } from '../../../src/kube/transport/transport.ts';
import { listenLocally, type LocalServer, plainConnection } from './kube-socket.ts';
import { VirtualClock } from '../virtual-clock.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export interface TransportSetup {
  server: LocalServer;
  transport: Transport;
  clock: VirtualClock;
}

/** A local server and a transport to it with a clock that stands still; both end with the test. */
export async function setUpTransport(
  handler: Handler,
  options: Partial<Omit<TransportOptions, 'connection'>> & {
    connection?: (url: string) => TransportOptions['connection'];
  } = {},
): Promise<TransportSetup> {
  const { connection = plainConnection, ...rest } = options;
  const server = await listenLocally((request, response) => void handler(request, response));
  cleanups.push(() => server.close());
  const clock = new VirtualClock();
  const transport = new Transport({
    connection: connection(server.url),
    clock,
    userAgent: 'tests/1',
    ...rest,
  });
  cleanups.push(() => transport.close());
  return { server, transport, clock };
}

/** The ApiError with which the promise must reject. */
export async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const outcome = await promise.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(ApiError);
  return outcome as ApiError;
}
