import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { Exchange } from './exchange.ts';
import { closeAfterEach, connectTo, listen, makeError, serve } from './test-client.ts';
import { reply, type Responder } from './test-server.ts';

closeAfterEach();

describe('an answer that breaks', () => {
  test.each<[string, Responder, Record<string, unknown>]>([
    [
      'by a reset before its first byte',
      ({ socket }) => socket.resetAndDestroy(),
      { code: 'ConnectionLost', status: undefined, maybeExecuted: true },
    ],
    [
      'by a close before its first byte',
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
      'by not being HTTP',
      ({ socket }) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
      { code: 'ProtocolError', maybeExecuted: true },
    ],
    [
      'by being compressed',
      (request) => reply(request, 'x', { headers: { 'content-encoding': 'gzip' } }),
      {
        code: 'ProtocolError',
        detail: 'The reply is compressed although no compression was requested.',
        maybeExecuted: true,
      },
    ],
    [
      'by announcing too long a body',
      ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${2 ** 20 + 1}\r\n\r\n`),
      { code: 'ProtocolError', detail: 'The reply is longer than 1048576 bytes.', maybeExecuted: true },
    ],
    [
      'by being too long without announcing it',
      ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${' '.repeat(2 ** 20 + 1)}`),
      { code: 'ProtocolError', detail: 'The reply is longer than 1048576 bytes.', maybeExecuted: true },
    ],
    [
      'by headers that are too long',
      ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`),
      { code: 'ProtocolError', maybeExecuted: true },
    ],
  ])('%s fails the call, and the call is not repeated', async (_name, respond, expected) => {
    const server = await serve(respond);
    const error = await connectTo(server.endpoint)
      .post('cert/reissue')
      .catch((error: unknown) => error);

    expect(error).toMatchObject({ name: 'PlainError', call: 'cert/reissue', ...expected });
    expect(server.calls).toEqual(['cert/reissue']);
  });

  test('by too long an error is cut off even if the call accepts a long answer', async () => {
    const server = await serve((request) => reply(request, ' '.repeat(2 ** 20 + 1), { status: 500 }));

    await expect(connectTo(server.endpoint).post('cert/list', { maxBytes: 2 ** 26 })).rejects.toMatchObject({
      code: 'ProtocolError',
      status: 500,
      detail: 'The reply is longer than 1048576 bytes.',
    });
  });

  test.each([301, 302, 303, 307, 308])('by being a redirect (%d) is not followed', async (status) => {
    const other = await serve((request) => reply(request, ''));
    const server = await serve((request) =>
      reply(request, 'moved', { status, headers: { location: `${other.endpoint}cert/reissue` } }),
    );

    expect(await connectTo(server.endpoint).post('cert/reissue')).toEqual({ status, text: 'moved' });
    expect(other.bytes).toEqual([]);
  });
});

test('an answer after an interim answer is accepted', async () => {
  const server = await serve((request) => {
    request.socket.write('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n');
    reply(request, 'taken');
  });

  expect(await connectTo(server.endpoint).post('cert/reissue')).toEqual({ status: 200, text: 'taken' });
});

describe('a deadline', () => {
  test('ends a call without an answer, and its connection', async () => {
    const clock = new VirtualClock();
    const server = await serve(() => {});
    const client = connectTo(server.endpoint, { clock });
    const call = client.post('cert/reissue').catch((error: unknown) => error);
    await server.arrival(1);
    const closed = new Promise((resolve) => server.requests[0]?.socket.once('close', resolve));
    await clock.advance(20_000);

    expect(await call).toMatchObject({
      code: 'DeadlineExceeded',
      call: 'cert/reissue',
      status: undefined,
      maybeExecuted: true,
    });
    await closed;
    expect(clock.pending).toBe(0);
  });

  test('ends a call with half an answer', async () => {
    const clock = new VirtualClock();
    const server = await serve(({ socket }) => {
      const entry = '{"id":1,"name":"a","status":"good","expires":1}';
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n[${entry},`);
    });
    const { promise: halfRead, resolve } = Promise.withResolvers<void>();
    const call = connectTo(server.endpoint, { clock })
      .post('cert/list', { sink: () => resolve() })
      .catch((error: unknown) => error);
    await halfRead;
    await clock.advance(20_000);

    expect(await call).toMatchObject({ code: 'DeadlineExceeded', status: 200 });
  });

  test('of one call does not affect another call', async () => {
    const clock = new VirtualClock();
    const server = await serve(() => {});
    const client = connectTo(server.endpoint, { clock });
    const patient = client.post('ca/list').catch((error: unknown) => error);
    const hasty = client.post('ca/list', { deadlineMs: 500 }).catch((error: unknown) => error);
    await server.arrival(2);
    await clock.advance(500);

    expect(await hasty).toMatchObject({ code: 'DeadlineExceeded' });
    expect(clock.pending).toBe(1);
    await clock.advance(19_500);
    expect(await patient).toMatchObject({ code: 'DeadlineExceeded' });
  });

  test('covers a peer that accepts the connection but never completes the handshake', async () => {
    const clock = new VirtualClock();
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    const port = await listen(createServer(() => resolve()));
    const client = connectTo(`https://127.0.0.1:${port}/`, { clock });
    const call = client.post('cert/reissue').catch((error: unknown) => error);
    await arrived;
    await clock.advance(20_000);

    expect(await call).toMatchObject({ code: 'DeadlineExceeded', maybeExecuted: false });
  });

  test('covers the wait for a connection, and nothing is sent afterwards', async () => {
    const clock = new VirtualClock();
    const server = await serve(() => {});
    const client = connectTo(server.endpoint, { clock, connections: 1 });
    const busy = client.post('ca/list', { deadlineMs: 60_000 }).catch((error: unknown) => error);
    await server.arrival(1);
    const queued = client.post('cert/reissue', { deadlineMs: 1000 }).catch((error: unknown) => error);
    await clock.advance(1000);

    expect(await queued).toMatchObject({ code: 'DeadlineExceeded', maybeExecuted: false });
    reply(server.requests[0]!, []);
    expect(await busy).toEqual({ status: 200, text: '[]' });
    expect(server.calls).toEqual(['ca/list']);
  });

  test('is cleared when the call ends', async () => {
    const clock = new VirtualClock();
    const server = await serve((request) => reply(request, []));
    const client = connectTo(server.endpoint, { clock });

    await client.post('ca/list');

    expect(clock.pending).toBe(0);
  });
});

describe('a call that its caller aborts', () => {
  test('is cut off and may have been executed', async () => {
    const server = await serve(() => {});
    const giveUp = new AbortController();
    const call = connectTo(server.endpoint)
      .post('cert/reissue', { signal: giveUp.signal })
      .catch((error: unknown) => error);
    await server.arrival(1);
    const closed = new Promise((resolve) => server.requests[0]?.socket.once('close', resolve));
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

  test('is never sent twice', async () => {
    let asked = 0;
    const exchange = new Exchange(
      {
        call: 'cert/new',
        signal: new AbortController().signal,
        beforeSend: () => (asked += 1),
        maxBytes: 1,
        sink: undefined,
      },
      { clean: (text) => text, makeError },
    );
    exchange.onRequestStart(controller);
    const reply = exchange.reply.catch((error: unknown) => error);

    expect(() => exchange.onRequestStart(controller)).toThrow('The request was already sent.');
    expect(await reply).toMatchObject({ code: 'ConnectionLost', maybeExecuted: true });
    expect(asked).toBe(1);
  });
});
