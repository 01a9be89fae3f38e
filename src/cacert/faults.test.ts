import { createServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { maybeExecuted } from '../http/errors.ts';
import { closeAfterEach, listen } from '../http/test-client.ts';
import { makeTls, reply, type Responder } from '../http/test-server.ts';
import { connectTo, input, leaf, serve } from './test-client.ts';

closeAfterEach();

const signed = `200,Authentication Ok\n${leaf}`;

describe('an answer that breaks', () => {
  test.each<[string, Responder, Record<string, unknown>]>([
    [
      'by a reset before its first byte',
      ({ socket }) => socket.resetAndDestroy(),
      { code: 'ConnectionLost', kind: 'passing', status: undefined },
    ],
    ['by a close before its first byte', ({ socket }) => socket.end(), { code: 'ConnectionLost' }],
    [
      'within the certificate',
      ({ socket }) => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n${signed.slice(0, 200)}`),
      { code: 'ConnectionLost', status: 200 },
    ],
    [
      'within the certificate, unnoticed by HTTP',
      ({ socket }) => socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${signed.slice(0, 200)}`),
      { code: 'IssuanceUncertain', kind: 'uncertain', status: 200 },
    ],
    ['by not being HTTP', ({ socket }) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'), { code: 'ProtocolError' }],
    [
      'by being too long',
      (request) => reply(request, `${signed}${' '.repeat(2 ** 20)}`),
      { code: 'ProtocolError', detail: 'The reply is longer than 1048576 bytes.' },
    ],
    [
      'by being compressed',
      (request) => reply(request, 'x', { headers: { 'content-encoding': 'gzip' } }),
      { code: 'ProtocolError', kind: 'protocol' },
    ],
  ])('%s leaves the outcome open, and the call is not repeated', async (_name, respond, expected) => {
    const server = await serve(respond);
    const client = connectTo(server.endpoint);

    const error: unknown = await client.signCertificate(input).catch((error: unknown) => error);

    expect(error).toMatchObject({ name: 'CAcertError', call: 'ccsr.php', maybeExecuted: true, ...expected });
    expect(maybeExecuted(error)).toBe(true);
    await expect(client.getAccount()).rejects.toMatchObject({ maybeExecuted: false });
    expect(server.calls).toEqual(['ccsr.php', 'cemails.php']);
  });
});

describe('an HTTP status', () => {
  test.each([
    [201, 'ProtocolError', 'protocol', true],
    [204, 'ProtocolError', 'protocol', true],
    [400, 'UnexpectedStatus', 'protocol', true],
    [403, 'UnexpectedStatus', 'protocol', true],
    [404, 'UnexpectedStatus', 'protocol', false],
    [405, 'UnexpectedStatus', 'protocol', false],
    [408, 'UnexpectedStatus', 'passing', true],
    [410, 'UnexpectedStatus', 'protocol', false],
    [413, 'UnexpectedStatus', 'protocol', false],
    [429, 'UnexpectedStatus', 'rate-limit', false],
    [500, 'UnexpectedStatus', 'passing', true],
    [502, 'UnexpectedStatus', 'passing', true],
    [503, 'UnexpectedStatus', 'passing', true],
    [504, 'UnexpectedStatus', 'passing', true],
  ])('of %d is a failure, whatever the body contains', async (status, code, kind, executed) => {
    const server = await serve((request) => reply(request, signed, { status }));
    const client = connectTo(server.endpoint);

    await expect(client.signCertificate(input)).rejects.toMatchObject({
      code,
      kind,
      status,
      maybeExecuted: executed,
    });
    await expect(client.getAccount()).rejects.toMatchObject({ code, kind, status, maybeExecuted: false });
  });

  test('of 404 names the missing script', async () => {
    const server = await serve((request) => reply(request, 'Not Found', { status: 404 }));

    await expect(connectTo(server.endpoint).getAccount()).rejects.toMatchObject({
      detail: expect.stringContaining('no cemails.php'),
    });
  });

  test('has the wait that the service asks for', async () => {
    const server = await serve((request) =>
      reply(request, '', { status: 503, headers: { 'retry-after': '120' } }),
    );

    await expect(connectTo(server.endpoint).getAccount()).rejects.toMatchObject({ retryAfterMs: 120_000 });
  });

  test.each([301, 302, 303, 307, 308])(
    'of a redirect (%d) is not followed, and blames the host name',
    async (status) => {
      const other = await serve((request) => reply(request, signed));
      const server = await serve((request) =>
        reply(request, '<html>moved</html>', { status, headers: { location: other.endpoint } }),
      );

      await expect(connectTo(server.endpoint).signCertificate(input)).rejects.toMatchObject({
        code: 'ProtocolError',
        kind: 'protocol',
        status,
        maybeExecuted: true,
        detail: expect.stringContaining('host name'),
      });
      expect(other.bytes).toEqual([]);
    },
  );
});

describe('a deadline', () => {
  test.each([
    ['signing', 120_000, {}],
    ['signing, with another default', 95_000, { signingDeadlineMs: 95_000 }],
  ])('ends %s after %d ms, not before', async (_name, milliseconds, options) => {
    const clock = new VirtualClock();
    const server = await serve(() => {});
    let over = false;
    const call = connectTo(server.endpoint, { clock, ...options })
      .signCertificate(input)
      .catch((error: unknown) => error)
      .finally(() => (over = true));
    await server.arrival(1);
    await clock.advance(milliseconds - 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(over).toBe(false);
    await clock.advance(1);

    expect(await call).toMatchObject({ code: 'DeadlineExceeded', kind: 'passing', maybeExecuted: true });
    expect(clock.pending).toBe(0);
  });

  test('ends a call for the account after 30 s, and leaves no outcome open', async () => {
    const clock = new VirtualClock();
    const server = await serve(() => {});
    const call = connectTo(server.endpoint, { clock })
      .getAccount()
      .catch((error: unknown) => error);
    await server.arrival(1);
    await clock.advance(30_000);

    expect(await call).toMatchObject({ code: 'DeadlineExceeded', maybeExecuted: false });
  });

  test('of one call does not affect another call', async () => {
    const clock = new VirtualClock();
    const server = await serve(() => {});
    const call = connectTo(server.endpoint, { clock })
      .signCertificate(input, { deadlineMs: 300_000 })
      .catch((error: unknown) => error);
    await server.arrival(1);
    await clock.advance(299_999);
    reply(server.requests[0]!, signed);

    expect(await call).toEqual({ certificate: leaf });
  });
});

describe('an aborted call', () => {
  test('may have been executed if its caller aborts it during the answer', async () => {
    const server = await serve(() => {});
    const giveUp = new AbortController();
    const call = connectTo(server.endpoint)
      .signCertificate(input, { signal: giveUp.signal })
      .catch((error: unknown) => error);
    await server.arrival(1);
    giveUp.abort(new Error('shutting down'));

    expect(await call).toMatchObject({
      code: 'Aborted',
      kind: 'passing',
      maybeExecuted: true,
      cause: { message: 'shutting down' },
    });
  });

  test('leaves no outcome open if its send gate throws, and fails with the error of the gate', async () => {
    const server = await serve((request) => reply(request, signed));
    const refusal = new Error('the lease is gone');
    const beforeSend = (): void => {
      throw refusal;
    };

    const error: unknown = await connectTo(server.endpoint)
      .signCertificate(input, { beforeSend })
      .catch((error: unknown) => error);

    expect(error).toBe(refusal);
    expect(maybeExecuted(error)).toBe(false);
    expect(server.requests).toEqual([]);
  });

  test('may have been executed if its client closes', async () => {
    const server = await serve(() => {});
    const client = connectTo(server.endpoint);
    const call = client.signCertificate(input).catch((error: unknown) => error);
    await server.arrival(1);
    await client.close();

    expect(await call).toMatchObject({ code: 'Closed', maybeExecuted: true });
  });
});

describe('a connection', () => {
  const tls = makeTls('IP:127.0.0.1');

  test('to an endpoint that the bundle trusts is used', async () => {
    const server = await serve((request) => reply(request, signed), tls);

    expect(await connectTo(server.endpoint, { ca: tls.ca }).signCertificate(input)).toEqual({
      certificate: leaf,
    });
  });

  test('to an endpoint that only the system trusts needs the option systemCa', async () => {
    const server = await serve((request) => reply(request, signed), tls);
    const other = makeTls('DNS:other.example').ca;
    const usual = getCACertificates('default');
    setDefaultCACertificates([tls.ca]);
    try {
      await expect(connectTo(server.endpoint, { ca: other }).signCertificate(input)).rejects.toMatchObject({
        code: 'TlsFailure',
      });
      const both = connectTo(server.endpoint, { ca: other, systemCa: true });
      expect(await both.signCertificate(input)).toEqual({ certificate: leaf });
    } finally {
      setDefaultCACertificates(usual);
    }
    const neither = connectTo(server.endpoint, { ca: other, systemCa: true });
    await expect(neither.signCertificate(input)).rejects.toMatchObject({ code: 'TlsFailure' });
    const bundle = connectTo(server.endpoint, { ca: tls.ca, systemCa: true });
    expect(await bundle.signCertificate(input)).toEqual({ certificate: leaf });
  });

  test('to an untrusted endpoint is closed before the password leaves', async () => {
    const server = await serve((request) => reply(request, signed), tls);

    await expect(connectTo(server.endpoint).signCertificate(input)).rejects.toMatchObject({
      code: 'TlsFailure',
      kind: 'protocol',
      maybeExecuted: false,
    });
    expect(server.requests).toEqual([]);
  });

  test('to a closed port is an outage', async () => {
    const nothing = createServer();
    const port = await listen(nothing);
    await new Promise((resolve) => nothing.close(resolve));

    await expect(connectTo(`https://127.0.0.1:${port}/`).signCertificate(input)).rejects.toMatchObject({
      code: 'ConnectionFailed',
      kind: 'passing',
      maybeExecuted: false,
    });
  });
});
