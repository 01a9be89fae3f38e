import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { maybeExecuted } from './errors.ts';
import { closeAfterEach, connectTo, type PlainClient, serve } from './test-client.ts';
import { makeTls, type Received, reply, type Responder, type TestServer } from './test-server.ts';
import type { ClientOptions } from './types.ts';

closeAfterEach();

const tls = makeTls('IP:127.0.0.1');

async function start(
  respond: Responder,
  options: ClientOptions = {},
): Promise<{ server: TestServer; client: PlainClient }> {
  const server = await serve(respond, tls);
  return { server, client: connectTo(server.endpoint, { ca: tls.ca, ...options }) };
}

/** Withholds the replies to one call until `release`. */
function holding(call: string): { respond: Responder; release: () => void } {
  const held: Received[] = [];
  return {
    respond: (request) => (request.call === call ? held.push(request) : reply(request, [])),
    release: () => {
      for (const request of held.splice(0)) reply(request, []);
    },
  };
}

describe('the send gate', () => {
  test('is not called while the request waits for the only connection', async () => {
    const { respond, release } = holding('ca/list');
    const { server, client } = await start(respond, { connections: 1 });
    const order: string[] = [];
    const first = client.post('ca/list', { beforeSend: () => order.push('gate 1') });
    await server.arrival(1);

    const second = client.post('cert/list', { beforeSend: () => order.push('gate 2') });
    await new Promise((resolve) => setImmediate(resolve));
    order.push('released');
    release();
    await Promise.all([first, second]);

    expect(order).toEqual(['gate 1', 'released', 'gate 2']);
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 0]);
  });

  test('that throws lets no byte leave and keeps the connection usable', async () => {
    const { respond, release } = holding('ca/list');
    const { server, client } = await start(respond, { connections: 1 });
    const refusal = new Error('the lease is gone');
    const first = client.post('ca/list');
    await server.arrival(1);
    const second = client.post('cert/new', {
      beforeSend: () => {
        throw refusal;
      },
    });
    const outcome = second.catch((error: unknown) => error);
    const bytesBefore = server.bytes[0];
    release();
    await first;

    const error = await outcome;
    const bytesAfter = server.bytes[0];
    await client.post('cert/list');

    expect(error).toBe(refusal);
    expect(maybeExecuted(error)).toBe(false);
    expect(bytesAfter).toBe(bytesBefore);
    expect(server.calls).toEqual(['ca/list', 'cert/list']);
    expect(server.bytes).toHaveLength(1);
  });

  test('that throws on a new connection lets only the handshake through', async () => {
    const { server, client } = await start((request) => reply(request, { cert_id: 7 }));
    const busy = client.post('cert/details').catch((error: unknown) => error);
    await expect(
      client.post('cert/new', {
        beforeSend: () => {
          throw new TypeError('no');
        },
      }),
    ).rejects.toThrow(TypeError);
    await busy;

    expect(server.calls).toEqual(['cert/details']);
    const whole = server.requests.map(({ head, body }) => head.length + 4 + body.length);
    expect(sum(server.bytes)).toBe(sum(whole));
  });

  test('runs in the same tick in which the first byte is handed to the socket', async () => {
    const order: string[] = [];
    const onConnected = (message: unknown): void => {
      const { socket } = message as { socket: Socket };
      const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
      socket.write = (...args: unknown[]) => {
        order.push('write');
        return write(...args);
      };
    };
    subscribe('undici:client:connected', onConnected);
    const { client } = await start((request) => reply(request, { cert_id: 7 }));
    order.length = 0;

    await client.post('cert/new', {
      beforeSend: () => {
        order.push('gate');
        // Runs as soon as the code that called the gate has finished.
        void Promise.resolve().then(() => order.push('end of the run'));
      },
    });
    unsubscribe('undici:client:connected', onConnected);

    expect(order).toEqual(['gate', 'write', 'write', 'end of the run']);
  });

  test('is never called for a request that was aborted in the queue', async () => {
    const { respond, release } = holding('ca/list');
    const { server, client } = await start(respond, { connections: 1 });
    const giveUp = new AbortController();
    let asked = false;
    const first = client.post('ca/list');
    await server.arrival(1);
    const second = client.post('cert/new', {
      signal: giveUp.signal,
      beforeSend: () => (asked = true),
    });
    giveUp.abort();

    await expect(second).rejects.toMatchObject({ code: 'Aborted', maybeExecuted: false });
    release();
    await first;
    await client.post('cert/list');

    expect(asked).toBe(false);
    expect(server.calls).toEqual(['ca/list', 'cert/list']);
    expect(server.bytes).toHaveLength(1);
  });

  test('that aborts the call itself lets no byte leave', async () => {
    const { server, client } = await start((request) => reply(request, { cert_id: 7 }));
    const giveUp = new AbortController();

    await expect(
      client.post('cert/new', {
        signal: giveUp.signal,
        beforeSend: () => giveUp.abort(new Error('too late')),
      }),
    ).rejects.toMatchObject({ code: 'Aborted', maybeExecuted: false, cause: { message: 'too late' } });
    await client.post('cert/reissue');

    expect(server.calls).toEqual(['cert/reissue']);
  });
});

function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
