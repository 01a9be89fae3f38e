import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { refusal, sendJson, signalled } from '../../../test/support/kube/kube-socket.ts';
import { failureOf, setUpTransport as setUp } from '../../../test/support/kube/transport-setup.ts';
import { settle } from '../../../test/support/virtual-clock.ts';

const STREAM = { method: 'GET', path: '/api/v1/things', idleMs: 60_000, deadlineMs: 300_000 } as const;

/** Collects the text of a stream, and lets a test wait for a part of it. */
function collector(): {
  onChunk: (chunk: Buffer) => void;
  text: () => string;
  saw: (part: string) => Promise<void>;
} {
  let text = '';
  return {
    onChunk: (chunk) => (text += chunk.toString()),
    text: () => text,
    saw: async (part) => {
      while (!text.includes(part)) await settle();
    },
  };
}

describe('a stream', () => {
  test('delivers chunks as they arrive, and resolves when the server ends it', async () => {
    const opened = signalled<ServerResponse>();
    const { transport } = await setUp((_request, response) => opened.resolve(response));
    const { onChunk, text, saw } = collector();

    const done = transport.stream(STREAM, onChunk);
    const response = await opened.promise;
    response.write('one\n');
    await saw('one');
    response.end('two\n');
    await done;

    expect(text()).toBe('one\ntwo\n');
  });

  test('does not use a connection of the requests', async () => {
    const { transport } = await setUp(
      (request, response) => {
        if (request.url === '/watch') response.write('open\n');
        else sendJson(response, 200, { ok: true });
      },
      { connections: 1 },
    );
    const streams = [collector(), collector(), collector()];
    const stop = new AbortController();

    const open = streams.map(({ onChunk }) =>
      failureOf(transport.stream({ ...STREAM, path: '/watch', signal: stop.signal }, onChunk)),
    );
    await Promise.all(streams.map(({ saw }) => saw('open')));

    expect(await transport.request({ method: 'GET', path: '/one' })).toEqual({ ok: true });
    stop.abort();
    expect(await Promise.all(open)).toMatchObject([
      { reason: 'Aborted' },
      { reason: 'Aborted' },
      { reason: 'Aborted' },
    ]);
  });

  test('that is refused rejects with the ApiError of the refusal', async () => {
    const { transport } = await setUp((_request, response) =>
      sendJson(response, 410, refusal(410, 'Expired')),
    );
    const { onChunk, text } = collector();

    expect(await failureOf(transport.stream(STREAM, onChunk))).toMatchObject({
      status: 410,
      reason: 'Expired',
    });
    expect(text()).toBe('');
  });

  test('that is cut off rejects with ConnectionFailed', async () => {
    const { transport } = await setUp((_request, response) => {
      response.write('half a li');
      setImmediate(() => response.socket?.destroy());
    });
    const { onChunk } = collector();

    expect(await failureOf(transport.stream(STREAM, onChunk))).toMatchObject({ reason: 'ConnectionFailed' });
  });

  test('rejects with what its reader threw, and closes the connection', async () => {
    const closed = signalled();
    const { transport } = await setUp((_request, response) => {
      response.on('close', () => closed.resolve());
      response.write('poison\n');
    });

    const done = transport.stream(STREAM, () => {
      throw new RangeError('cannot digest');
    });

    await expect(done).rejects.toThrow(new RangeError('cannot digest'));
    await closed.promise;
  });

  test('on a half-open connection ends after the allowed silence, counted from the last byte', async () => {
    const opened = signalled<ServerResponse>();
    const { transport, clock } = await setUp((_request, response) => opened.resolve(response));
    const { onChunk, saw } = collector();

    const failure = failureOf(transport.stream(STREAM, onChunk));
    const response = await opened.promise;
    response.write('one\n');
    await saw('one');
    await clock.advance(40_000);
    response.write('two\n');
    await saw('two');
    await clock.advance(59_999);
    expect(clock.pending).toBe(2);
    await clock.advance(1);

    expect(await failure).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'The API server has gone silent.',
    });
    expect(clock.pending).toBe(0);
  });

  test('without headers ends after half a minute', async () => {
    const arrived = signalled();
    const { transport, clock } = await setUp(() => arrived.resolve());

    const failure = failureOf(transport.stream(STREAM, () => undefined));
    await arrived.promise;
    await clock.advance(30_000);

    expect(await failure).toMatchObject({ reason: 'DeadlineExceeded' });
  });

  test('that never ends is cut at its deadline, however busy it is', async () => {
    const opened = signalled<ServerResponse>();
    const { transport, clock } = await setUp((_request, response) => opened.resolve(response));
    const { onChunk, saw } = collector();

    const failure = failureOf(transport.stream({ ...STREAM, deadlineMs: 100_000 }, onChunk));
    const response = await opened.promise;
    for (const beat of ['a', 'b', 'c', 'd']) {
      response.write(beat);
      await saw(beat);
      await clock.advance(25_000);
    }

    expect(await failure).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'The API server did not answer in time.',
    });
  });

  test('is opened once more with fresh credentials after a 401', async () => {
    let token = 'old';
    const seen: unknown[] = [];
    const { transport } = await setUp(
      (request, response) => {
        seen.push(request.headers.authorization);
        if (request.headers.authorization === 'new') response.end('ok\n');
        else sendJson(response, 401, refusal(401, 'Unauthorized'));
      },
      {
        connection: (server) => ({
          server,
          tls: () => ({ version: '1' }),
          authorization: async (force) => (token = force ? 'new' : token),
          isLoading: () => false,
        }),
      },
    );
    const { onChunk, text } = collector();

    await transport.stream(STREAM, onChunk);

    expect(text()).toBe('ok\n');
    expect(seen).toEqual(['old', 'new']);
  });
});

test('closing the transport ends streams and waits for requests', async () => {
  const slow = signalled<ServerResponse>();
  const { transport } = await setUp((request, response) => {
    if (request.url === '/slow') slow.resolve(response);
    else response.write('open\n');
  });
  const { onChunk, saw } = collector();

  const stream = failureOf(transport.stream(STREAM, onChunk));
  const request = transport.request({ method: 'GET', path: '/slow' });
  await saw('open');
  const response = await slow.promise;
  const closed = transport.close();
  expect(await stream).toMatchObject({ reason: 'Aborted' });
  sendJson(response, 200, { ok: true });
  await closed;

  expect(await request).toEqual({ ok: true });
  expect(await failureOf(transport.request({ method: 'GET', path: '/late' }))).toMatchObject({
    reason: 'Aborted',
  });
});
