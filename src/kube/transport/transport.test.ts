import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { plainConnection, readBody, refusal, sendJson } from '../../../test/support/kube/kube-socket.ts';
import {
  failureOf,
  type Handler,
  setUpTransport as setUp,
} from '../../../test/support/kube/transport-setup.ts';
import { settle } from '../../../test/support/virtual-clock.ts';

const GET = { method: 'GET', path: '/api/v1/things' } as const;

describe('a request', () => {
  test('goes to the path under the base path, with query, headers and a JSON body', async () => {
    const seen: Record<string, unknown> = {};
    const { transport } = await setUp(
      async (request, response) => {
        Object.assign(seen, {
          url: request.url,
          method: request.method,
          headers: request.headers,
          body: await readBody(request),
        });
        sendJson(response, 200, { ok: true });
      },
      { connection: (url) => plainConnection(`${url}/k8s/c-1`, { authorization: async () => 'Bearer abc' }) },
    );

    const answer = await transport.request({
      method: 'PATCH',
      path: '/api/v1/things/a',
      query: { fieldManager: 'a b', skipped: undefined },
      body: { a: 'ü' },
      contentType: 'application/merge-patch+json',
    });

    expect(answer).toEqual({ ok: true });
    expect(seen).toMatchObject({
      url: '/k8s/c-1/api/v1/things/a?fieldManager=a%20b',
      method: 'PATCH',
      body: '{"a":"ü"}',
      headers: {
        'user-agent': 'tests/1',
        authorization: 'Bearer abc',
        accept: 'application/json',
        'content-type': 'application/merge-patch+json',
      },
    });
    expect(seen['headers']).not.toHaveProperty('accept-encoding');
  });

  test('reuses connections and never opens more than allowed', async () => {
    const { transport, server } = await setUp((_request, response) => sendJson(response, 200, {}), {
      connections: 4,
    });

    await Promise.all(Array.from({ length: 60 }, () => transport.request(GET)));

    expect(server.sockets.size).toBeLessThanOrEqual(4);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    'that is a %s with a body leaves its connection open for the next',
    async (method) => {
      const { transport, server } = await setUp((_request, response) => sendJson(response, 200, {}), {
        connections: 1,
      });

      for (let i = 0; i < 3; i += 1) await transport.request({ ...GET, method, body: {} });

      expect(server.sockets.size).toBe(1);
    },
  );

  test('accepts gzip only if the answer may be large', async () => {
    const encodings: unknown[] = [];
    const { transport } = await setUp((request, response) => {
      encodings.push(request.headers['accept-encoding']);
      response.writeHead(
        200,
        request.headers['accept-encoding'] === 'gzip' ? { 'content-encoding': 'gzip' } : {},
      );
      response.end(
        request.headers['accept-encoding'] === 'gzip' ? gzipSync('{"items":[1]}') : '{"items":[]}',
      );
    });

    expect(await transport.request(GET)).toEqual({ items: [] });
    expect(await transport.request({ ...GET, large: true })).toEqual({ items: [1] });
    expect(encodings).toEqual([undefined, 'gzip']);
  });
});

describe('a refusal', () => {
  test('becomes an ApiError with reason, causes and the time to wait, and a message that is cut', async () => {
    const { transport } = await setUp((_request, response) =>
      sendJson(response, 422, {
        ...refusal(422, 'Invalid', {
          details: {
            causes: [{ field: 'spec.x', reason: 'FieldValueInvalid', message: 'too long' }],
            retryAfterSeconds: 3,
          },
        }),
        message: 'm'.repeat(5000),
      }),
    );

    const error = await failureOf(transport.request({ ...GET, resource: 'things' }));

    expect(error).toMatchObject({
      status: 422,
      reason: 'Invalid',
      verb: 'GET',
      resource: 'things',
      retryAfterMs: 3000,
      causes: [{ field: 'spec.x', reason: 'FieldValueInvalid', message: 'too long' }],
    });
    expect(error.message).toHaveLength(257);
  });

  test.each([
    [404, 'NotFound'],
    [503, 'ServiceUnavailable'],
    [599, 'Unknown'],
  ])('without a Status object has the reason of the status %i', async (status, reason) => {
    const { transport } = await setUp((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/html' });
      response.end('<h1>proxy</h1> token=hunter2');
    });

    const error = await failureOf(transport.request(GET));

    expect(error).toMatchObject({ status, reason });
    expect(inspect(error)).not.toContain('hunter2');
  });

  test('by redirect is an error, and nothing is sent elsewhere', async () => {
    const { transport } = await setUp((_request, response) => {
      response.writeHead(302, { location: 'http://127.0.0.1:1/' });
      response.end();
    });

    expect(await failureOf(transport.request(GET))).toMatchObject({ reason: 'ProtocolError', status: 302 });
  });

  test.each([500, 503, 504])(
    'with %i is not retried, even if the server gives a Retry-After',
    async (status) => {
      let requests = 0;
      const { transport } = await setUp((_request, response) => {
        requests += 1;
        sendJson(response, status, refusal(status, 'Busy'), { 'retry-after': '1' });
      });

      expect(await failureOf(transport.request(GET))).toMatchObject({ status, retryAfterMs: 1000 });
      expect(requests).toBe(1);
    },
  );
});

describe('a 429', () => {
  function refuseFirst(times: number, retryAfter: string): { handler: Handler; served: () => number } {
    let requests = 0;
    return {
      served: () => requests,
      handler: (_request, response) => {
        requests += 1;
        if (requests > times) sendJson(response, 200, { served: requests });
        else sendJson(response, 429, refusal(429, 'TooManyRequests'), { 'retry-after': retryAfter });
      },
    };
  }

  test('is retried after the time that the server gives', async () => {
    const { handler, served } = refuseFirst(2, '2');
    const { transport, clock } = await setUp(handler);

    const answer = transport.request({ ...GET, method: 'POST', body: {}, deadlineMs: 3_600_000 });
    const waited = clock.monotonic();
    while (served() < 3) {
      await settle();
      await clock.advance(100);
    }

    expect(await answer).toEqual({ served: 3 });
    expect(clock.monotonic() - waited).toBeGreaterThanOrEqual(4000);
  });

  test('that persists is an error after four retries', async () => {
    const { handler, served } = refuseFirst(Infinity, '0');
    const { transport, clock } = await setUp(handler);

    const failure = failureOf(transport.request({ ...GET, deadlineMs: 3_600_000 }));
    while (served() < 5) {
      await settle();
      await clock.advance(10);
    }

    expect(await failure).toMatchObject({ status: 429, retryAfterMs: 0 });
    expect(served()).toBe(5);
  });

  test('that asks for more time than the deadline leaves is an error at once', async () => {
    const { handler, served } = refuseFirst(1, '60');
    const { transport } = await setUp(handler);

    expect(await failureOf(transport.request(GET))).toMatchObject({ status: 429, retryAfterMs: 60_000 });
    expect(served()).toBe(1);
  });

  test('is not retried for a caller that has aborted', async () => {
    const { handler, served } = refuseFirst(1, '5');
    const { transport, clock } = await setUp(handler);
    const controller = new AbortController();

    const failure = failureOf(transport.request({ ...GET, signal: controller.signal }));
    while (clock.pending === 0 || served() === 0) await settle();
    await settle(50);
    controller.abort(new Error('gone'));

    expect(await failure).toMatchObject({ reason: 'Aborted', cause: new Error('gone') });
    expect(served()).toBe(1);
  });
});

describe('a 401', () => {
  function tokens(...values: string[]): {
    force: boolean[];
    authorization: (force?: boolean) => Promise<string>;
  } {
    const force: boolean[] = [];
    let current = 0;
    return {
      force,
      authorization: async (forced = false) => {
        force.push(forced);
        if (forced) current = Math.min(current + 1, values.length - 1);
        return `Bearer ${values[current] ?? ''}`;
      },
    };
  }

  const onlyAccept =
    (token: string, seen: unknown[]): Handler =>
    (request, response) => {
      seen.push(request.headers.authorization);
      if (request.headers.authorization === `Bearer ${token}`) sendJson(response, 200, { ok: true });
      else sendJson(response, 401, refusal(401, 'Unauthorized'));
    };

  test('reloads the credentials and sends the request once more', async () => {
    const seen: unknown[] = [];
    const { authorization } = tokens('old', 'new');
    const { transport } = await setUp(onlyAccept('new', seen), {
      connection: (url) => plainConnection(url, { authorization }),
    });

    expect(await transport.request({ ...GET, method: 'POST', body: {} })).toEqual({ ok: true });
    expect(seen).toEqual(['Bearer old', 'Bearer new']);
  });

  test('with the new credentials too is an error', async () => {
    const seen: unknown[] = [];
    const { authorization } = tokens('old', 'new', 'newer');
    const { transport } = await setUp(onlyAccept('none', seen), {
      connection: (url) => plainConnection(url, { authorization }),
    });

    expect(await failureOf(transport.request(GET))).toMatchObject({ status: 401, reason: 'Unauthorized' });
    expect(seen).toEqual(['Bearer old', 'Bearer new']);
  });

  test('is not retried if the credentials have not changed', async () => {
    const seen: unknown[] = [];
    const { authorization } = tokens('same');
    const { transport } = await setUp(onlyAccept('none', seen), {
      connection: (url) => plainConnection(url, { authorization }),
    });

    expect(await failureOf(transport.request(GET))).toMatchObject({ status: 401 });
    expect(seen).toEqual(['Bearer same']);
  });
});
