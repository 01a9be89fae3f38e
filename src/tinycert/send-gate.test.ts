import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { maybeExecuted } from './errors.ts';
import { closeAfterEach, connectTo, serveAll } from './test-client.ts';
import { makeTls, type Received, reply, type Responder, type TestServer, withLogin } from './test-server.ts';
import type { TinyCertClient, TinyCertClientOptions } from './types.ts';

closeAfterEach();

const tls = makeTls('IP:127.0.0.1');

async function start(
  respond: Responder,
  options: Partial<TinyCertClientOptions> = {},
): Promise<{ server: TestServer; client: TinyCertClient }> {
  const server = await serveAll(respond, tls);
  return { server, client: connectTo(server.endpoint, { ca: tls.ca, ...options }) };
}

/** Keeps the replies to one call back until `release`. */
function holding(call: string): { respond: Responder; release: () => void } {
  const held: Received[] = [];
  return {
    respond: withLogin((request) => (request.call === call ? held.push(request) : reply(request, []))),
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
    await client.connect();
    const first = client.listAuthorities({ beforeSend: () => order.push('gate 1') });
    await server.arrival(2);

    const second = client.listCertificates(1, 15, { beforeSend: () => order.push('gate 2') });
    await new Promise((resolve) => setImmediate(resolve));
    order.push('released');
    release();
    await Promise.all([first, second]);

    expect(order).toEqual(['gate 1', 'released', 'gate 2']);
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 0, 0]);
  });

  test('that throws keeps every byte back and leaves the connection usable', async () => {
    const { respond, release } = holding('ca/list');
    const { server, client } = await start(respond, { connections: 1 });
    const refusal = new Error('the lease is gone');
    await client.connect();
    const first = client.listAuthorities();
    await server.arrival(2);
    const second = client.createCertificate(newCertificate, {
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
    await client.listCertificates(1);

    expect(error).toBe(refusal);
    expect(maybeExecuted(error)).toBe(false);
    expect(bytesAfter).toBe(bytesBefore);
    expect(server.calls).toEqual(['connect', 'ca/list', 'cert/list']);
    expect(server.bytes).toHaveLength(1);
  });

  test('that throws on a fresh connection lets nothing but the handshake through', async () => {
    const { server, client } = await start(withLogin((request) => reply(request, { cert_id: 7 })));
    await client.connect();
    const busy = client.getCertificateDetails(1).catch((error: unknown) => error);
    await expect(
      client.createCertificate(newCertificate, {
        beforeSend: () => {
          throw new TypeError('no');
        },
      }),
    ).rejects.toThrow(TypeError);
    await busy;

    expect(server.calls).toEqual(['connect', 'cert/details']);
    const whole = server.requests.map(({ head, body }) => head.length + 4 + body.length);
    expect(sum(server.bytes)).toBe(sum(whole));
  });

  test('runs after the login, and for the call alone', async () => {
    const { server, client } = await start(withLogin((request) => reply(request, { cert_id: 7 })));
    const seen: string[][] = [];

    await client.createCertificate(newCertificate, { beforeSend: () => seen.push(server.calls) });

    expect(seen).toEqual([['connect']]);
    expect(server.calls).toEqual(['connect', 'cert/new']);
  });

  test('runs in the same tick as the first byte is handed to the socket', async () => {
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
    const { client } = await start(withLogin((request) => reply(request, { cert_id: 7 })));
    await client.connect();
    order.length = 0;

    await client.createCertificate(newCertificate, {
      beforeSend: () => {
        order.push('gate');
        // Runs as soon as the code that called the gate has run to its end.
        void Promise.resolve().then(() => order.push('end of the run'));
      },
    });
    unsubscribe('undici:client:connected', onConnected);

    expect(order).toEqual(['gate', 'write', 'write', 'end of the run']);
  });

  test('is asked again before a call is repeated with a new session', async () => {
    let refused = false;
    const { server, client } = await start(
      withLogin((request) => {
        if (refused) reply(request, { cert_id: 7 });
        else reply(request, { code: 'InvalidToken', text: '' }, { status: 403 });
        refused = true;
      }),
    );
    let asked = 0;

    await client.createCertificate(newCertificate, { beforeSend: () => (asked += 1) });

    expect(asked).toBe(2);
    expect(server.calls).toEqual(['connect', 'cert/new', 'connect', 'cert/new']);
  });

  test('is never called for a request that was given up in the queue', async () => {
    const { respond, release } = holding('ca/list');
    const { server, client } = await start(respond, { connections: 1 });
    const giveUp = new AbortController();
    let asked = false;
    await client.connect();
    const first = client.listAuthorities();
    await server.arrival(2);
    const second = client.createCertificate(newCertificate, {
      signal: giveUp.signal,
      beforeSend: () => (asked = true),
    });
    giveUp.abort();

    await expect(second).rejects.toMatchObject({ code: 'Aborted', maybeExecuted: false });
    release();
    await first;
    await client.listCertificates(1);

    expect(asked).toBe(false);
    expect(server.calls).toEqual(['connect', 'ca/list', 'cert/list']);
    expect(server.bytes).toHaveLength(1);
  });

  test('that gives the call up itself keeps every byte back', async () => {
    const { server, client } = await start(withLogin((request) => reply(request, { cert_id: 7 })));
    const giveUp = new AbortController();
    await client.connect();

    await expect(
      client.createCertificate(newCertificate, {
        signal: giveUp.signal,
        beforeSend: () => giveUp.abort(new Error('too late')),
      }),
    ).rejects.toMatchObject({ code: 'Aborted', maybeExecuted: false, cause: { message: 'too late' } });
    await client.reissueCertificate(7);

    expect(server.calls).toEqual(['connect', 'cert/reissue']);
  });
});

const newCertificate = {
  authorityId: 1,
  subject: { commonName: 'www.example.com', country: 'NL', organization: 'ACME' },
};

function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
