import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { listen, plainConnection, sendJson, signalled } from '../../../test/support/kube/kube-socket.ts';
import { failureOf, setUpTransport as setUp } from '../../../test/support/kube/transport-setup.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { CLOSE_MS, Transport } from './transport.ts';

const GET = { method: 'GET', path: '/api/v1/things' } as const;
describe('a server that fails', () => {
  test('by never answering ends the request at the deadline', async () => {
    const arrived = signalled();
    const { transport, clock } = await setUp(() => arrived.resolve());

    const failure = failureOf(transport.request({ ...GET, deadlineMs: 5000 }));
    await arrived.promise;
    await clock.advance(4999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);

    expect(await failure).toMatchObject({ status: 0, reason: 'DeadlineExceeded' });
    expect(clock.pending).toBe(0);
  });

  test('in the middle of the body ends the request at the deadline too', async () => {
    const arrived = signalled();
    const { transport, clock } = await setUp((_request, response) => {
      response.writeHead(200);
      response.write('{"a":', () => arrived.resolve());
    });

    const failure = failureOf(transport.request(GET));
    await arrived.promise;
    await clock.advance(30_000);

    expect(await failure).toMatchObject({ reason: 'DeadlineExceeded' });
  });

  test('by cutting the connection gets a write once and not twice', async () => {
    let requests = 0;
    const { transport } = await setUp((request) => {
      requests += 1;
      request.resume();
      request.on('end', () => request.socket.destroy());
    });

    const error = await failureOf(
      transport.request({ method: 'POST', path: '/api/v1/things', body: { a: 1 } }),
    );

    expect(error).toMatchObject({ status: 0, reason: 'ConnectionFailed' });
    expect(requests).toBe(1);
  });

  test('by not listening gives ConnectionFailed with the system code', async () => {
    const { transport, server } = await setUp(() => undefined);
    await server.close();

    expect(await failureOf(transport.request(GET))).toMatchObject({
      reason: 'ConnectionFailed',
      system: 'ECONNREFUSED',
    });
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['text that is not JSON', (response) => response.end('secret-in-body {')],
    ['bytes that are not HTTP', (response) => response.socket?.end('secret-in-body\r\n\r\n')],
  ])('with %s gives an error that does not quote the body', async (_name, answer) => {
    const { transport } = await setUp((_request, response) => answer(response));

    const error = await failureOf(transport.request(GET));

    expect(error.reason).toBe('ProtocolError');
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('secret-in-body');
  });

  test('with a body above the limit is cut off', async () => {
    const cut = signalled();
    const { transport } = await setUp(
      (_request, response) => {
        response.on('close', () => cut.resolve());
        response.writeHead(200);
        response.write('x'.repeat(2000));
      },
      { limits: { body: 1000, list: 1000 } },
    );

    expect(await failureOf(transport.request(GET))).toMatchObject({ reason: 'ProtocolError' });
    await cut.promise;
  });

  test('with gzip that expands beyond the limit gives an error', async () => {
    const { transport } = await setUp(
      (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(gzipSync(JSON.stringify('x'.repeat(100_000))));
      },
      { limits: { body: 1000, list: 50_000 } },
    );

    expect(await failureOf(transport.request({ ...GET, large: true }))).toMatchObject({
      reason: 'ProtocolError',
    });
  });
});

describe('a caller that aborts', () => {
  test('before the request is sent sends nothing', async () => {
    let requests = 0;
    const { transport } = await setUp((_request, response) => {
      requests += 1;
      sendJson(response, 200, {});
    });

    const failure = await failureOf(
      transport.request({ ...GET, signal: AbortSignal.abort(new Error('stop')) }),
    );
    await transport.request(GET);

    expect(failure).toMatchObject({ reason: 'Aborted', cause: new Error('stop') });
    expect(requests).toBe(1);
  });

  test('while the server works closes the connection', async () => {
    const arrived = signalled<IncomingMessage>();
    const { transport } = await setUp((request) => arrived.resolve(request));
    const controller = new AbortController();

    const failure = failureOf(transport.request({ ...GET, signal: controller.signal }));
    const request = await arrived.promise;
    const closed = new Promise((resolve) => request.socket.once('close', resolve));
    controller.abort(new Error('stop'));

    expect(await failure).toMatchObject({ reason: 'Aborted' });
    await closed;
  });

  test('while the request waits for a connection prevents it from being sent', async () => {
    const paths: unknown[] = [];
    const first = signalled<ServerResponse>();
    const { transport, clock } = await setUp(
      (request, response) => {
        paths.push(request.url);
        if (request.url === '/first') first.resolve(response);
        else sendJson(response, 200, {});
      },
      { connections: 1 },
    );

    const slow = transport.request({ method: 'GET', path: '/first' });
    const response = await first.promise;
    const failure = failureOf(
      transport.request({ method: 'POST', path: '/second', body: {}, deadlineMs: 100 }),
    );
    await clock.advance(100);
    expect(await failure).toMatchObject({ reason: 'DeadlineExceeded' });
    sendJson(response, 200, {});
    await slow;
    await transport.request({ method: 'GET', path: '/third' });

    expect(paths).toEqual(['/first', '/third']);
  });
});

describe('a transport that closes', () => {
  test('does not wait for a connection that hangs in its handshake', async () => {
    const connected = signalled();
    const silent = await listen(
      createServer((socket) => {
        socket.on('error', () => undefined);
        connected.resolve();
      }),
      'https',
    );
    const clock = new VirtualClock();
    const transport = new Transport({ connection: plainConnection(silent.url), clock, userAgent: 'tests/1' });
    const stop = new AbortController();
    const failure = failureOf(transport.request({ ...GET, signal: stop.signal }));
    await connected.promise;
    stop.abort(new Error('stop'));
    expect(await failure).toMatchObject({ reason: 'Aborted' });

    const closed = transport.close();
    await clock.advance(CLOSE_MS);

    await closed;
    await silent.close();
  });

  test('waits for a request that is answered meanwhile', async () => {
    const arrived = signalled<ServerResponse>();
    const { transport } = await setUp((_request, response) => arrived.resolve(response));
    const answer = transport.request(GET);
    const response = await arrived.promise;

    const closed = transport.close();
    sendJson(response, 200, { it: 'is' });

    expect(await answer).toEqual({ it: 'is' });
    await closed;
  });
});

describe('a request whose credentials are being loaded', () => {
  test.each(['DeadlineExceeded', 'Aborted'])('has its limits all the same: %s', async (reason) => {
    const { transport, clock } = await setUp(() => undefined, {
      connection: (url) =>
        plainConnection(url, { authorization: () => new Promise(() => undefined), isLoading: () => true }),
    });
    const stop = new AbortController();
    const failure = failureOf(transport.request({ ...GET, deadlineMs: 100, signal: stop.signal }));
    if (reason === 'Aborted') stop.abort(new Error('stop'));
    else await clock.advance(100);
    expect(await failure).toMatchObject({ reason });
  });
});

test('printing the transport or its errors does not show the token', async () => {
  const { transport, server } = await setUp(() => undefined, {
    connection: (url) => plainConnection(url, { authorization: async () => 'Bearer hunter2' }),
  });
  await server.close();

  const error = await failureOf(
    transport.request({ ...GET, body: { data: { password: 'hunter2' } }, method: 'POST' }),
  );

  expect(inspect([error, transport], { depth: 20, showHidden: true })).not.toContain('hunter2');
});

test('each attempt is reported with method, resource, status and reason', async () => {
  const reported: object[] = [];
  const { transport, server } = await setUp((_request, response) => sendJson(response, 200, {}), {
    metrics: {
      request: ({ method, resource, status, reason }) =>
        reported.push({ method, resource, status, ...(reason ? { reason } : {}) }),
    },
  });

  await transport.request({ ...GET, resource: 'things' });
  await server.close();
  await failureOf(transport.request({ ...GET, resource: 'things' }));

  expect(reported).toEqual([
    { method: 'GET', resource: 'things', status: 200 },
    { method: 'GET', resource: 'things', status: 0, reason: 'ConnectionFailed' },
  ]);
});
