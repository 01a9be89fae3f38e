import { describe, expect, test } from 'vitest';
import { closeAfterEach, serve as serveAll } from '../http/test-client.ts';
import { makeTls, type Received, reply, type TestServer } from '../http/test-server.ts';
import { createTinyCertSession, sessionKey } from './session.ts';
import { connectTo, credentials, refuse, withLogin } from './test-client.ts';

closeAfterEach();

const tokenOf = (request: Received): string | null => request.form.get('token');
const logins = (server: TestServer): number => server.calls.filter((call) => call === 'connect').length;

describe('a session', () => {
  test('is opened once for concurrent calls', async () => {
    const server = await serveAll(withLogin((request) => reply(request, [])));
    const client = connectTo(server.endpoint);

    await Promise.all(Array.from({ length: 30 }, () => client.listAuthorities()));
    await client.connect();

    expect(logins(server)).toBe(1);
    expect(server.calls).toHaveLength(31);
  });

  test('that expired is replaced once for all calls that notice', async () => {
    let valid = 'token-1';
    const server = await serveAll(
      withLogin((request) => {
        if (tokenOf(request) === valid) reply(request, []);
        else refuse(request, 403, 'InvalidToken');
      }),
    );
    const client = connectTo(server.endpoint);
    await client.listAuthorities();
    valid = 'token-2';

    await Promise.all(Array.from({ length: 40 }, () => client.listAuthorities()));

    expect(logins(server)).toBe(2);
    expect(server.requests.filter((request) => tokenOf(request) === 'token-2')).toHaveLength(40);
  });

  test('that was replaced is not replaced again after a late refusal', async () => {
    const held: Received[] = [];
    const server = await serveAll(
      withLogin((request) => {
        if (tokenOf(request) !== 'token-1') reply(request, []);
        else if (held.push(request) === 2) refuse(held[0] as Received, 403, 'InvalidToken');
      }),
    );
    const client = connectTo(server.endpoint);
    const calls = [client.listAuthorities(), client.listAuthorities()];
    await Promise.race(calls);
    refuse(held[1] as Received, 403, 'InvalidToken');
    await Promise.all(calls);

    expect(logins(server)).toBe(2);
  });

  test.each([
    ['InvalidToken', 403],
    ['SessionError', 403],
    ['SessionError', 500],
    ['SignatureFailure', 403],
  ])(
    'refused with %s (%d) is renewed and the call repeated, even one that is not idempotent',
    async (code, status) => {
      const server = await serveAll(
        withLogin((request) => {
          if (tokenOf(request) === 'token-1') refuse(request, status, code);
          else reply(request, { cert_id: 7 });
        }),
      );
      const client = connectTo(server.endpoint);

      expect(await client.reissueCertificate(6)).toBe(7);
      expect(server.calls).toEqual(['connect', 'cert/reissue', 'connect', 'cert/reissue']);
    },
  );

  test('that is refused twice fails the call, and the next call logs in again', async () => {
    let healthy = false;
    const server = await serveAll(
      withLogin((request) => (healthy ? reply(request, []) : refuse(request, 403, 'InvalidToken'))),
    );
    const client = connectTo(server.endpoint);

    await expect(client.listAuthorities()).rejects.toMatchObject({
      code: 'InvalidToken',
      call: 'ca/list',
      kind: 'passing',
      maybeExecuted: false,
    });
    expect(server.calls).toEqual(['connect', 'ca/list', 'connect', 'ca/list']);
    healthy = true;
    await client.listAuthorities();
    expect(logins(server)).toBe(3);
  });

  test.each([
    ['AccessDenied', 403],
    ['UnknownError', 500],
    ['RateLimitExceeded', 429],
  ])('is kept if a call fails with %s, and the call is not repeated', async (code, status) => {
    const server = await serveAll(withLogin((request) => refuse(request, status, code)));
    const client = connectTo(server.endpoint);

    await expect(client.listAuthorities()).rejects.toMatchObject({ code });
    await expect(client.listAuthorities()).rejects.toMatchObject({ code });

    expect(server.calls).toEqual(['connect', 'ca/list', 'ca/list']);
  });

  test('whose signature is refused since the API key was replaced ends with what the login says', async () => {
    const server = await serveAll((request) => {
      if (request.call !== 'connect') refuse(request, 403, 'SignatureFailure');
      else if (logins(server) > 1) refuse(request, 403, 'ApiKeyMismatch');
      else reply(request, { token: 'token-1' });
    });
    const client = connectTo(server.endpoint);

    await expect(client.reissueCertificate(6)).rejects.toMatchObject({
      code: 'ApiKeyMismatch',
      kind: 'credentials',
    });

    expect(server.calls).toEqual(['connect', 'cert/reissue', 'connect']);
  });

  test('never sends an old token with a login', async () => {
    const server = await serveAll(
      withLogin((request) => {
        if (tokenOf(request) === 'token-1') refuse(request, 403, 'InvalidToken');
        else reply(request, []);
      }),
    );

    await connectTo(server.endpoint).listAuthorities();

    const forms = server.requests
      .filter(({ call }) => call === 'connect')
      .map(({ form }) => [...form.keys()]);
    expect(forms).toEqual([
      ['email', 'passphrase', 'digest'],
      ['email', 'passphrase', 'digest'],
    ]);
  });

  test('that cannot be opened fails every waiting call after one login', async () => {
    const server = await serveAll((request) => refuse(request, 403, 'PassphraseFailure', 'wrong'));
    const client = connectTo(server.endpoint);
    const outcomes = await Promise.allSettled([client.listAuthorities(), client.reissueCertificate(6)]);

    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        reason: { code: 'PassphraseFailure', kind: 'credentials', call: 'connect', maybeExecuted: false },
      });
    expect(server.calls).toEqual(['connect']);
    await expect(client.listAuthorities()).rejects.toMatchObject({ code: 'PassphraseFailure' });
    expect(server.calls).toEqual(['connect', 'connect']);
  });

  test.each(['', '{}', '{"token":""}', '{"token":null}', '[]'])(
    'is not opened by the answer %j',
    async (body) => {
      const server = await serveAll((request) => reply(request, body));

      await expect(connectTo(server.endpoint).listAuthorities()).rejects.toMatchObject({
        code: 'ProtocolError',
        call: 'connect',
        maybeExecuted: false,
      });
    },
  );

  test('continues to open for the calls that still wait if one is aborted', async () => {
    const held: Received[] = [];
    const server = await serveAll((request) => {
      if (request.call === 'connect') held.push(request);
      else reply(request, []);
    });
    const client = connectTo(server.endpoint);
    const giveUp = new AbortController();
    const first = client.reissueCertificate(6, { signal: giveUp.signal });
    const second = client.listAuthorities();
    await server.arrival(1);
    giveUp.abort(new Error('shutting down'));

    await expect(first).rejects.toMatchObject({
      code: 'Aborted',
      call: 'cert/reissue',
      maybeExecuted: false,
      cause: { message: 'shutting down' },
    });
    reply(held[0] as Received, { token: 'token-1' });
    await second;
    expect(server.calls).toEqual(['connect', 'ca/list']);
  });

  test('stops opening if the last waiting call is aborted, and opens again for the next call', async () => {
    let answer = false;
    const server = await serveAll((request) => {
      if (request.call !== 'connect') reply(request, []);
      else if (answer) reply(request, { token: 'token-2' });
    });
    const client = connectTo(server.endpoint);
    const giveUp = new AbortController();
    const first = client.listAuthorities({ signal: giveUp.signal });
    await server.arrival(1);
    const closed = new Promise((resolve) => server.requests[0]?.socket.once('close', resolve));
    giveUp.abort();
    await expect(first).rejects.toMatchObject({ code: 'Aborted' });
    await closed;
    answer = true;

    await client.listAuthorities();

    expect(server.calls).toEqual(['connect', 'connect', 'ca/list']);
  });

  test('is not awaited by a call that was aborted before', async () => {
    const server = await serveAll(withLogin((request) => reply(request, [])));

    await expect(
      connectTo(server.endpoint).listAuthorities({ signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({
      code: 'Aborted',
    });
    expect(server.bytes).toEqual([]);
  });

  test('is dropped on disconnect even if the service refuses the call', async () => {
    const server = await serveAll(
      withLogin((request) => {
        if (request.call === 'disconnect') refuse(request, 500, 'UnknownError');
        else reply(request, []);
      }),
    );
    const client = connectTo(server.endpoint);
    await client.connect();

    await expect(client.disconnect()).rejects.toMatchObject({ code: 'UnknownError', call: 'disconnect' });
    await client.listAuthorities();

    expect(server.calls).toEqual(['connect', 'disconnect', 'connect', 'ca/list']);
  });

  test('that has expired causes neither an error nor a login on disconnect', async () => {
    const server = await serveAll(withLogin((request) => refuse(request, 403, 'InvalidToken')));
    const client = connectTo(server.endpoint);
    await client.connect();

    await client.disconnect();

    expect(server.calls).toEqual(['connect', 'disconnect']);
  });
});

describe('a shared session', () => {
  test('is opened once for its clients, and stays open if one of them closes', async () => {
    const server = await serveAll(withLogin((request) => reply(request, [])));
    const session = createTinyCertSession({ endpoint: server.endpoint, credentials });
    const first = connectTo(server.endpoint, { session });
    const second = connectTo(server.endpoint, { session });
    await Promise.all([first.listAuthorities(), second.listAuthorities()]);
    await first.close();
    await second.listAuthorities();

    expect(logins(server)).toBe(1);
    expect(session.isOpen).toBe(true);
    await second.close({ disconnect: true });
    expect(session.isOpen).toBe(false);
    expect(server.calls.at(-1)).toBe('disconnect');
  });

  test('is opened by another client if the one that was logging in closes', async () => {
    let answer = false;
    const server = await serveAll((request) => {
      if (request.call !== 'connect') reply(request, []);
      else if (answer) reply(request, { token: 'token-2' });
    });
    const session = createTinyCertSession({ endpoint: server.endpoint, credentials });
    const first = connectTo(server.endpoint, { session });
    const second = connectTo(server.endpoint, { session });
    const given = first.listAuthorities().catch((error: unknown) => error);
    await server.arrival(1);
    const kept = second.listAuthorities();
    answer = true;
    await first.close();

    expect(await kept).toEqual([]);
    expect(await given).toMatchObject({ code: 'Closed', maybeExecuted: false });
    expect(server.calls).toEqual(['connect', 'connect', 'ca/list']);
  });
});

describe('the key of a session', () => {
  const { ca } = makeTls('DNS:ca.example');
  const account = { endpoint: 'https://ca.example/api/v1/', credentials, ca };

  test('is equal for equal accounts, in any spelling', () => {
    const same = { ...account, endpoint: 'https://CA.example:443/api/v1', ca: `\n${ca}\n` };

    expect(sessionKey(same)).toBe(sessionKey({ ...account, credentials: { ...credentials } }));
  });

  test.each([
    ['endpoint', { ...account, endpoint: 'https://ca.example/api/v2/' }],
    ['CA bundle', { ...account, ca: undefined }],
    ['e-mail', { ...account, credentials: { ...credentials, email: 'other@example.com' } }],
    ['passphrase', { ...account, credentials: { ...credentials, passphrase: 'guess' } }],
    ['API key', { ...account, credentials: { ...credentials, apiKey: 'guess' } }],
    [
      'split between fields',
      {
        ...account,
        credentials: { ...credentials, passphrase: `${credentials.passphrase}k`, apiKey: 'ey-of-the-api' },
      },
    ],
  ])('differs if the %s differs', (_name, other) => {
    expect(sessionKey(other)).not.toBe(sessionKey(account));
  });
});

describe('a closed client', () => {
  test('fails calls in progress and later ones', async () => {
    const server = await serveAll(withLogin(() => {}));
    const client = connectTo(server.endpoint);
    const call = client.reissueCertificate(6).catch((error: unknown) => error);
    await server.arrival(2);

    await client.close();
    await client.close();

    expect(await call).toMatchObject({ code: 'Closed', call: 'cert/reissue', maybeExecuted: true });
    await expect(client.listAuthorities()).rejects.toMatchObject({ code: 'Closed', maybeExecuted: false });
    await expect(client.connect()).rejects.toMatchObject({ code: 'Closed' });
    await expect(client.disconnect()).rejects.toMatchObject({ code: 'Closed' });
    expect(server.calls).toEqual(['connect', 'cert/reissue']);
  });

  test('closes even if the session cannot be ended', async () => {
    const server = await serveAll(withLogin((request) => request.socket.destroy()));
    const client = connectTo(server.endpoint);
    await client.connect();

    await client.close({ disconnect: true });

    expect(server.calls).toEqual(['connect', 'disconnect']);
  });
});
