/** Checks that no secret shows, whatever fails and however it is printed. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { escapeForm } from '../http/form.ts';
import { expectNone, json, printed } from '../http/test-secrets.ts';
import { makeTls, type Received, reply, type Responder, TestServer } from '../http/test-server.ts';
import { createTinyCertClient } from './client.ts';
import { createTinyCertSession } from './session.ts';
import type { TinyCertClient } from './types.ts';

const tls = makeTls('IP:127.0.0.1');
const credentials = { email: 'a@example.com', passphrase: 'Pass*Phrase 77', apiKey: 'Api+Key/88' };
const token = 'feedfacecafe0123456789';
const privateKey = '-----BEGIN PRIVATE KEY-----\nMIIsecretKeyMaterial\n-----END PRIVATE KEY-----\n';
const proxyPassword = 'ProxyWord99';
const secrets = [
  credentials.passphrase,
  escapeForm(credentials.passphrase),
  credentials.apiKey,
  escapeForm(credentials.apiKey),
  token,
  'secretKeyMaterial',
  proxyPassword,
];

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  vi.restoreAllMocks();
});

/** The request as a text that contains each secret. */
function echo({ head, body }: Received): string {
  return `${head}\r\n\r\n${body} ${credentials.passphrase} ${credentials.apiKey} ${privateKey}`;
}

const failures: [string, Responder][] = [
  [
    'an error that echoes the request',
    (r) => reply(r, { code: 'InputFailure', text: echo(r) }, { status: 400 }),
  ],
  ['an error whose code echoes it', (r) => reply(r, { code: echo(r), text: echo(r) }, { status: 500 })],
  [
    'an error that names the session',
    (r) => reply(r, { code: 'InvalidToken', text: echo(r) }, { status: 403 }),
  ],
  [
    'an error that names one secret',
    (r) => reply(r, { code: token, text: credentials.apiKey }, { status: 400 }),
  ],
  ['an error page that echoes it', (r) => reply(r, echo(r), { status: 502 })],
  ['a success that is not JSON', (r) => reply(r, echo(r))],
  ['JSON that breaks after a secret', (r) => reply(r, `{"pem": "${token}", ${credentials.passphrase}`)],
  ['JSON of another shape', (r) => reply(r, { [token]: { [credentials.apiKey]: privateKey }, pem: 7 })],
  ['names of another shape', (r) => reply(r, { id: 6, status: 'good', Alt: [{ [token]: 1 }] })],
  ['a list with a bad entry', (r) => reply(r, [{ id: token, name: token, status: token, expires: token }])],
  ['a list that breaks', (r) => reply(r, `[{"id": ${token}`)],
  ['a redirect', (r) => reply(r, echo(r), { status: 302, headers: { location: `/?${r.body}` } })],
  ['headers that echo it', (r) => reply(r, '', { status: 429, headers: { 'retry-after': r.body } })],
  ['something other than HTTP', ({ socket, ...r }) => socket.end(echo({ socket, ...r }))],
  ['a broken chunk', (r) => r.socket.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${echo(r)}`)],
  ['a broken header', (r) => r.socket.end(`HTTP/1.1 200 OK\r\n${r.body}\r\n\r\n`)],
  ['a closed connection', ({ socket }) => socket.destroy()],
  [
    'half a key',
    ({ socket }) => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{"pem":"${privateKey}`),
  ],
  ['nothing', () => {}],
];

const calls: [string, (client: TinyCertClient, signal: AbortSignal) => Promise<unknown>][] = [
  ['cert/get', (client, signal) => client.getCertificate(6, 'key.dec', { signal, deadlineMs: 300 })],
  ['cert/details', (client, signal) => client.getCertificateDetails(6, { signal, deadlineMs: 300 })],
  ['cert/list', (client, signal) => client.listCertificates(6, 15, { signal, deadlineMs: 300 })],
];

async function start(respond: Responder): Promise<{ server: TestServer; client: TinyCertClient }> {
  const server = await TestServer.start(respond, tls);
  const client = createTinyCertClient({
    endpoint: server.endpoint,
    credentials,
    ca: tls.ca,
    deadlineMs: 300,
  });
  closers.push(
    () => client.close(),
    () => server.close(),
  );
  return { server, client };
}

function expectNoSecret(text: string): void {
  expectNone(secrets, text);
}

describe('no secret shows', () => {
  test.each(failures)('when a call meets %s', async (_name, respond) => {
    const output = vi.spyOn(process.stderr, 'write');
    const { client } = await start((r) => (r.call === 'connect' ? reply(r, { token }) : respond(r)));

    for (const [, call] of calls) {
      const error: unknown = await call(client, new AbortController().signal).catch(
        (error: unknown) => error,
      );

      expect(error).toMatchObject({ name: 'TinyCertError' });
      expectNoSecret(printed(error));
    }
    expectNoSecret(printed(client));
    expectNoSecret(json(output.mock.calls));
  });

  test.each(failures)('when a login meets %s', async (_name, respond) => {
    const { client } = await start(respond);

    const error: unknown = await client.connect().catch((error: unknown) => error);

    expect(error).toMatchObject({ name: 'TinyCertError', call: 'connect' });
    expectNoSecret(printed(error));
  });

  test('in a client and a session, open or not', async () => {
    const server = await TestServer.start((r) => reply(r, { token }), tls);
    const session = createTinyCertSession({ endpoint: server.endpoint, credentials, ca: tls.ca });
    const client = createTinyCertClient({ endpoint: server.endpoint, credentials, ca: tls.ca, session });
    closers.push(
      () => client.close(),
      () => server.close(),
    );
    expectNoSecret(printed([client, session]));

    await client.connect();

    expect(session.isOpen).toBe(true);
    expectNoSecret(printed([client, session, createTinyCertClient, createTinyCertSession]));
  });

  test('in a pending call, an aborted call or one that its send gate refused', async () => {
    const { server, client } = await start((r) => {
      if (r.call === 'connect') reply(r, { token });
    });
    const giveUp = new AbortController();
    const pending = client.getCertificate(6, 'key.dec', { signal: giveUp.signal });
    const outcome = pending.catch((error: unknown) => error);
    await server.arrival(2);
    expectNoSecret(printed(pending));
    giveUp.abort();
    const error = await outcome;
    expect(error).toMatchObject({ code: 'Aborted', maybeExecuted: true });
    expectNoSecret(printed(error));

    const refused = client.getCertificate(6, 'key.dec', {
      beforeSend: () => {
        throw new Error('no');
      },
    });
    expectNoSecret(printed(await refused.catch((error: unknown) => error)));
  });

  test('if there is no server, no trust or no proxy', async () => {
    const { server } = await start(() => {});
    const proxies = { HTTPS_PROXY: `http://user:${proxyPassword}@127.0.0.1:1` };
    const clients = [
      createTinyCertClient({ endpoint: 'https://127.0.0.1:1/', credentials }),
      createTinyCertClient({ endpoint: server.endpoint, credentials }),
      createTinyCertClient({ endpoint: 'https://tinycert.invalid/', credentials, env: proxies }),
    ];
    for (const client of clients) {
      const error: unknown = await client.listAuthorities().catch((error: unknown) => error);

      expect(error).toMatchObject({ name: 'TinyCertError', maybeExecuted: false });
      expectNoSecret(printed(error));
      expectNoSecret(printed(client));
      await client.close();
    }
  });

  test('in an error about options or input', () => {
    const attempts: (() => unknown)[] = [
      () => createTinyCertClient({ credentials, endpoint: `https://x:${token}@y/` }),
      () => createTinyCertClient({ credentials, ca: privateKey }),
      () => createTinyCertClient({ credentials, env: { HTTPS_PROXY: `socks5://u:${proxyPassword}@h` } }),
      () =>
        createTinyCertClient({
          credentials,
          session: createTinyCertSession({ credentials, endpoint: 'https://y/' }),
        }),
    ];
    for (const attempt of attempts) {
      let thrown: unknown;
      try {
        attempt();
      } catch (error) {
        thrown = error;
      }

      expect(thrown).toMatchObject({ code: 'InvalidOptions' });
      expectNoSecret(printed(thrown));
    }
  });
});
