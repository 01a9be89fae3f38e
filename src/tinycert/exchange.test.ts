import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { Exchange } from './exchange.ts';
import { closeAfterEach, connectTo, listen, serve, serveAll } from './test-client.ts';
import { reply, type Responder } from './test-server.ts';
import type { TinyCertClientOptions } from './types.ts';

closeAfterEach();

/** The outcome of `cert/reissue` against a server that answers it with `respond`. */
async function outcomeOf(respond: Responder, options?: Partial<TinyCertClientOptions>): Promise<unknown> {
  const server = await serve(respond);
  const client = connectTo(server.endpoint, options);
  return client.reissueCertificate(6).catch((error: unknown) => error);
}

describe('an answer that breaks', () => {
  test.each<[string, Responder, Record<string, unknown>]>([
    [
      'by a reset before its first byte',
      ({ socket }) => socket.resetAndDestroy(),
      { code: 'ConnectionLost', kind: 'passing', status: undefined, maybeExecuted: true },
    ],
    [
      'by an end before its first byte',
      ({ socket }) => socket.end(),
      { code: 'ConnectionLost', maybeExecuted: true },
    ],
    [
      'within its body',
      ({ socket }) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"cert_id":'),
      { code: 'ConnectionLost', status: 200, maybeExecuted: true },
    ],
    [
      'within a chunk',
      ({ socket }) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{"cert_id":'),
      { code: 'ConnectionLost', maybeExecuted: true },
    ],
    [
      'within a body of no length',
      ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"cert_id":'),
      { code: 'ProtocolError', maybeExecuted: true },
    ],
    [
      'by not being HTTP',
      ({ socket }) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
      { code: 'ProtocolError', kind: 'protocol', maybeExecuted: true },
    ],
    [
      'by being a page',
      (request) => reply(request, '<html>Welcome</html>', { headers: { 'content-type': 'text/html' } }),
      { code: 'ProtocolError', status: 200, maybeExecuted: true },
    ],
    [
      'by being compressed',
      (request) => reply(request, 'x', { headers: { 'content-encoding': 'gzip' } }),
      {
        code: 'ProtocolError',
        detail: 'The reply is compressed, which was not asked for.',
        maybeExecuted: true,
      },
    ],
    [
      'by saying it is too long',
      ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${2 ** 20 + 1}\r\n\r\n`),
      { code: 'ProtocolError', detail: 'The reply is longer than 1048576 bytes.', maybeExecuted: true },
    ],
    [
      'by being too long without saying so',
      ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${' '.repeat(2 ** 20 + 1)}`),
      { code: 'ProtocolError', detail: 'The reply is longer than 1048576 bytes.', maybeExecuted: true },
    ],
    [
      'by headers that are too long',
      ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`),
      { code: 'ProtocolError', maybeExecuted: true },
    ],
    [
      'by being a gateway that gave up',
      (request) => reply(request, '<html>502</html>', { status: 502 }),
      { code: 'UnexpectedStatus', kind: 'passing', status: 502, maybeExecuted: true },
    ],
  ])('%s fails the call, which is not repeated', async (_name, respond, expected) => {
    const server = await serve(respond);
    const error = await connectTo(server.endpoint)
      .reissueCertificate(6)
      .catch((error: unknown) => error);

    expect(error).toMatchObject({ name: 'TinyCertError', call: 'cert/reissue', ...expected });
    expect(server.calls).toEqual(['connect', 'cert/reissue']);
  });

  test('by an error that is too long is cut off even where a long list may come', async () => {
    const server = await serve((request) => reply(request, ' '.repeat(2 ** 20 + 1), { status: 500 }));

    await expect(connectTo(server.endpoint).listCertificates(5)).rejects.toMatchObject({
      code: 'ProtocolError',
      status: 500,
      detail: 'The reply is longer than 1048576 bytes.',
    });
  });

  test('by a reset does not repeat a read either', async () => {
    const server = await serve(({ socket }) => socket.resetAndDestroy());

    await expect(connectTo(server.endpoint).listAuthorities()).rejects.toMatchObject({
      code: 'ConnectionLost',
    });
    expect(server.calls).toEqual(['connect', 'ca/list']);
  });

  test.each([301, 302, 303, 307, 308])('by being a redirect (%d) is not followed', async (status) => {
    const other = await serve((request) => reply(request, { cert_id: 7 }));
    const error = await outcomeOf((request) =>
      reply(request, '', { status, headers: { location: `${other.endpoint}cert/reissue` } }),
    );

    expect(error).toMatchObject({
      code: 'ProtocolError',
      status,
      detail: 'The endpoint answered a redirect.',
    });
    expect(other.bytes).toEqual([]);
  });

  test('by a refusal of more requests says how long to wait', async () => {
    const clock = new VirtualClock('2026-01-01T00:00:00Z');
    const limited =
      (retryAfter: string): Responder =>
      (request) =>
        reply(
          request,
          { code: 'RateLimitExceeded', text: '' },
          { status: 429, headers: { 'Retry-After': retryAfter } },
        );
    const expected = { code: 'RateLimitExceeded', kind: 'rate-limit', status: 429, maybeExecuted: false };

    expect(await outcomeOf(limited('120'), { clock })).toMatchObject({ ...expected, retryAfterMs: 120_000 });
    expect(await outcomeOf(limited('Thu, 01 Jan 2026 00:01:00 GMT'), { clock })).toMatchObject({
      ...expected,
      retryAfterMs: 60_000,
    });
  });

  test('that is only preceded by an interim answer is taken', async () => {
    expect(
      await outcomeOf((request) => {
        request.socket.write('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n');
        reply(request, { cert_id: 7 });
      }),
    ).toBe(7);
  });
});

describe('a deadline', () => {
  test('ends a call that gets no answer, and its connection', async () => {
    const clock = new VirtualClock();
    const server = await serve(() => {});
    const client = connectTo(server.endpoint, { clock, deadlineMs: 20_000 });
    await client.connect();
    const call = client.reissueCertificate(6).catch((error: unknown) => error);
    await server.arrival(2);
    const closed = new Promise((resolve) => server.requests[1]?.socket.once('close', resolve));
    await clock.advance(20_000);

    expect(await call).toMatchObject({
      code: 'DeadlineExceeded',
      kind: 'passing',
      call: 'cert/reissue',
      status: undefined,
      maybeExecuted: true,
    });
    await closed;
    expect(clock.pending).toBe(0);
  });

  test('ends a call that gets half an answer', async () => {
    const clock = new VirtualClock();
    const server = await serve(({ socket }) => {
      const entry = '{"id":1,"name":"a","status":"good","expires":1}';
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n[${entry},`);
    });
    const { promise: halfRead, resolve } = Promise.withResolvers<void>();
    const call = connectTo(server.endpoint, { clock })
      .streamCertificates(5, undefined, () => resolve())
      .catch((error: unknown) => error);
    await halfRead;
    await clock.advance(20_000);

    expect(await call).toMatchObject({ code: 'DeadlineExceeded', status: 200 });
  });

  test('of one call is its own', async () => {
    const clock = new VirtualClock();
    const server = await serve(() => {});
    const client = connectTo(server.endpoint, { clock });
    await client.connect();
    const patient = client.listAuthorities().catch((error: unknown) => error);
    const hasty = client.listAuthorities({ deadlineMs: 500 }).catch((error: unknown) => error);
    await server.arrival(3);
    await clock.advance(500);

    expect(await hasty).toMatchObject({ code: 'DeadlineExceeded' });
    expect(clock.pending).toBe(1);
    await clock.advance(19_500);
    expect(await patient).toMatchObject({ code: 'DeadlineExceeded' });
  });

  test('covers the login, and names the call that waited', async () => {
    const clock = new VirtualClock();
    const server = await serveAll(() => {});
    const client = connectTo(server.endpoint, { clock });
    const call = client.reissueCertificate(6, { deadlineMs: 1000 }).catch((error: unknown) => error);
    await server.arrival(1);
    await clock.advance(1000);

    expect(await call).toMatchObject({
      code: 'DeadlineExceeded',
      call: 'cert/reissue',
      maybeExecuted: false,
    });
  });

  test('covers a peer that accepts the connection and never shakes hands', async () => {
    const clock = new VirtualClock();
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    const port = await listen(createServer(() => resolve()));
    const client = connectTo(`https://127.0.0.1:${port}/`, { clock });
    const call = client.reissueCertificate(6).catch((error: unknown) => error);
    await arrived;
    await clock.advance(20_000);

    expect(await call).toMatchObject({ code: 'DeadlineExceeded', maybeExecuted: false });
  });

  test('covers the wait for a connection, and leaves nothing that is sent later', async () => {
    const clock = new VirtualClock();
    const server = await serve(() => {});
    const client = connectTo(server.endpoint, { clock, connections: 1 });
    await client.connect();
    const busy = client.listAuthorities({ deadlineMs: 60_000 }).catch((error: unknown) => error);
    await server.arrival(2);
    const queued = client.reissueCertificate(6, { deadlineMs: 1000 }).catch((error: unknown) => error);
    await clock.advance(1000);

    expect(await queued).toMatchObject({ code: 'DeadlineExceeded', maybeExecuted: false });
    reply(server.requests[1]!, []);
    expect(await busy).toEqual([]);
    expect(server.calls).toEqual(['connect', 'ca/list']);
  });

  test('is disarmed when the call is over', async () => {
    const clock = new VirtualClock();
    const server = await serve((request) => reply(request, []));
    const client = connectTo(server.endpoint, { clock });

    await client.listAuthorities();

    expect(clock.pending).toBe(0);
  });
});

describe('a call given up by its caller', () => {
  test('is cut off, and may have been carried out', async () => {
    const server = await serve(() => {});
    const giveUp = new AbortController();
    const call = connectTo(server.endpoint)
      .reissueCertificate(6, { signal: giveUp.signal })
      .catch((error: unknown) => error);
    await server.arrival(2);
    const closed = new Promise((resolve) => server.requests[1]?.socket.once('close', resolve));
    giveUp.abort(new Error('shutting down'));

    expect(await call).toMatchObject({
      code: 'Aborted',
      maybeExecuted: true,
      cause: { message: 'shutting down' },
    });
    await closed;
  });
});

describe('an exchange', () => {
  const controller = { aborted: false, paused: false, reason: null, abort() {}, pause() {}, resume() {} };

  test('is never put on the wire twice', async () => {
    let asked = 0;
    const exchange = new Exchange(
      {
        call: 'cert/new',
        signal: new AbortController().signal,
        beforeSend: () => (asked += 1),
        maxBytes: 1,
        sink: undefined,
      },
      (text) => text,
    );
    exchange.onRequestStart(controller);
    const reply = exchange.reply.catch((error: unknown) => error);

    expect(() => exchange.onRequestStart(controller)).toThrow('The request was already sent.');
    expect(await reply).toMatchObject({ code: 'ConnectionLost', maybeExecuted: true });
    expect(asked).toBe(1);
  });
});
