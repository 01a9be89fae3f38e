import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { closeAfterEach, serve as serveAll } from '../http/test-client.ts';
import { reply, type Responder } from '../http/test-server.ts';
import { connectTo, serve } from './test-client.ts';
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
      'within a body of unknown length',
      ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"cert_id":'),
      { code: 'ProtocolError', maybeExecuted: true },
    ],
    [
      'by being a web page',
      (request) => reply(request, '<html>Welcome</html>', { headers: { 'content-type': 'text/html' } }),
      { code: 'ProtocolError', status: 200, maybeExecuted: true },
    ],
    [
      'by coming from a gateway that timed out',
      (request) => reply(request, '<html>502</html>', { status: 502 }),
      { code: 'UnexpectedStatus', kind: 'passing', status: 502, maybeExecuted: true },
    ],
  ])('%s fails the call, and the call is not repeated', async (_name, respond, expected) => {
    const server = await serve(respond);
    const error = await connectTo(server.endpoint)
      .reissueCertificate(6)
      .catch((error: unknown) => error);

    expect(error).toMatchObject({ name: 'TinyCertError', call: 'cert/reissue', ...expected });
    expect(server.calls).toEqual(['connect', 'cert/reissue']);
  });

  test('by too long an error is cut off even if the call accepts a long list', async () => {
    const server = await serve((request) => reply(request, ' '.repeat(2 ** 20 + 1), { status: 500 }));

    await expect(connectTo(server.endpoint).listCertificates(5)).rejects.toMatchObject({
      code: 'ProtocolError',
      status: 500,
      detail: 'The reply is longer than 1048576 bytes.',
    });
  });

  test.each([301, 302, 303, 307, 308])('by being a redirect (%d) is not followed', async (status) => {
    const other = await serve((request) => reply(request, { cert_id: 7 }));
    const error = await outcomeOf((request) =>
      reply(request, '', { status, headers: { location: `${other.endpoint}cert/reissue` } }),
    );

    expect(error).toMatchObject({
      code: 'ProtocolError',
      status,
      detail: 'The endpoint answered with a redirect.',
    });
    expect(other.bytes).toEqual([]);
  });

  test('by a rate limit has the wait that the service asks for', async () => {
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
});

describe('a deadline', () => {
  test('ends a call with half an answer', async () => {
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

  test('is cleared when the call ends', async () => {
    const clock = new VirtualClock();
    const server = await serve((request) => reply(request, []));

    await connectTo(server.endpoint, { clock }).listAuthorities();

    expect(clock.pending).toBe(0);
  });
});
