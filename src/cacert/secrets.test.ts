/** Checks that no secret shows, whatever fails and however it is printed. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { escapeForm } from '../http/form.ts';
import { closeAfterEach } from '../http/test-client.ts';
import { expectNone, json, printed } from '../http/test-secrets.ts';
import { makeTls, type Received, reply, type Responder } from '../http/test-server.ts';
import { createCAcertClient } from './client.ts';
import { connectTo, csr, serve } from './test-client.ts';
import type { CAcertClient, CAcertClientOptions } from './types.ts';

closeAfterEach();
afterEach(() => vi.restoreAllMocks());

const tls = makeTls('IP:127.0.0.1');
const credentials = { username: 'a@example.com', password: 'Pass*Phrase <77>' };
const privateKey = '-----BEGIN PRIVATE KEY-----\nMIIsecretKeyMaterial\n-----END PRIVATE KEY-----\n';
const proxyPassword = 'ProxyWord99';
const secrets = [
  credentials.password,
  escapeForm(credentials.password),
  'Pass*Phrase &lt;77&gt;',
  'secretKeyMaterial',
  proxyPassword,
];

/** The request as a text that contains the password and more. */
function echo({ head, body }: Received): string {
  return `${head}\r\n\r\n${body} ${credentials.password} ${privateKey}`;
}

const failures: [string, Responder][] = [
  ['a refusal of the key that echoes the request', (r) => reply(r, `403, ${echo(r)}`)],
  ['a refusal that names the password', (r) => reply(r, `403, ${credentials.password}`)],
  ['a refusal that names it in HTML', (r) => reply(r, '404,Pass*Phrase &lt;77&gt;')],
  ['a refusal that is not documented', (r) => reply(r, `500,${echo(r)}`)],
  ['a number that echoes it', (r) => reply(r, `404,Your certificate request has failed. ID: ${r.body}`)],
  ['a success without a certificate', (r) => reply(r, `200,Authentication Ok\n${echo(r)}`)],
  [
    'a success with a broken certificate',
    (r) =>
      reply(r, `200,Authentication Ok\n-----BEGIN CERTIFICATE-----\n${r.body}\n-----END CERTIFICATE-----\n`),
  ],
  [
    'an account with a broken right',
    (r) => reply(r, `200,Authentication Ok\nCS=${r.body}\nNAME=${r.body}\n`),
  ],
  ['a web page that echoes it', (r) => reply(r, `<html>${echo(r)}`)],
  ['an error page that echoes it', (r) => reply(r, echo(r), { status: 502 })],
  ['a redirect', (r) => reply(r, echo(r), { status: 302, headers: { location: `/?${r.body}` } })],
  ['headers that echo it', (r) => reply(r, '', { status: 429, headers: { 'retry-after': r.body } })],
  ['something other than HTTP', (r) => r.socket.end(echo(r))],
  ['a broken chunk', (r) => r.socket.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${echo(r)}`)],
  ['a broken header', (r) => r.socket.end(`HTTP/1.1 200 OK\r\n${r.body}\r\n\r\n`)],
  ['a closed connection', ({ socket }) => socket.destroy()],
];

const calls: ((client: CAcertClient) => Promise<unknown>)[] = [
  (client) => client.getAccount(),
  (client) => client.signCertificate({ csr, emails: ['a@example.com'], name: 'A' }),
];

async function start(respond: Responder, options: Partial<CAcertClientOptions> = {}) {
  const server = await serve(respond, tls);
  return { server, client: connectTo(server.endpoint, { credentials, ca: tls.ca, ...options }) };
}

function expectNoSecret(text: string): void {
  expectNone(secrets, text);
}

describe('no secret shows', () => {
  test.each([
    ['with tags in it', 'open <b>sesame</b>', 'open <b>sesame</b>'],
    ['with more than one blank', 'open  sesame', 'open  sesame'],
    ['beyond ASCII, as UTF-8', 'öffne dich', 'öffne dich'],
    ['beyond ASCII, as ISO-8859-1', 'öffne dich', Buffer.from('öffne dich', 'latin1')],
    ['beyond ASCII, as entities', 'öffne dich', '&ouml;ffne dich'],
    ['with tags and beyond ASCII, as entities', 'ö <b> dich', '&ouml; <b> dich'],
    [
      'with tags and beyond ASCII, as UTF-8 among other bytes',
      'ö <b> dich',
      Buffer.concat([Buffer.from('ö <b> dich'), Buffer.from([0xff])]),
    ],
    ['beyond ASCII, as entities of UTF-8', 'öffne dich', '&Atilde;&para;ffne dich'],
  ])('of a password %s, in the text of a refusal', async (_name, password, repeated) => {
    const body = Buffer.concat([Buffer.from('403, We know you, '), Buffer.from(repeated), Buffer.from('!')]);
    const { client } = await start((r) => reply(r, body), {
      credentials: { ...credentials, password },
    });

    const error: unknown = await client
      .signCertificate({ csr, emails: ['a@b.example'] })
      .catch((e: unknown) => e);

    expect(error).toMatchObject({ code: 'KeyRefused', text: undefined });
  });

  test.each(failures)('when a call meets %s', async (_name, respond) => {
    const outputs = [vi.spyOn(process.stderr, 'write'), vi.spyOn(process.stdout, 'write')];
    const finished: unknown[] = [];
    const { server, client } = await start(respond, { onRequest: (request) => finished.push(request) });

    for (const call of calls) {
      const error: unknown = await call(client).catch((error: unknown) => error);

      expect(error).toMatchObject({ name: 'CAcertError' });
      expectNoSecret(printed(error));
    }
    expectNoSecret(printed([client, finished]));
    for (const output of outputs) expectNoSecret(json(output.mock.calls));
    for (const { head } of server.requests) expectNoSecret(head);
  });

  test('in a pending or an aborted call', async () => {
    const { server, client } = await start(() => {});
    const giveUp = new AbortController();
    const pending = client.getAccount({ signal: giveUp.signal });
    const outcome = pending.catch((error: unknown) => error);
    await server.arrival(1);
    expectNoSecret(printed([pending, client]));
    giveUp.abort();
    const error = await outcome;

    expect(error).toMatchObject({ code: 'Aborted' });
    expectNoSecret(printed(error));
  });

  test('if there is no server, no trust or no proxy', async () => {
    const { server } = await start(() => {});
    const proxies = { HTTPS_PROXY: `http://user:${proxyPassword}@127.0.0.1:1` };
    for (const client of [
      connectTo('https://127.0.0.1:1/', { credentials }),
      connectTo(server.endpoint, { credentials }),
      connectTo('https://cacert.invalid/', { credentials, env: proxies }),
    ]) {
      const error: unknown = await client.getAccount().catch((error: unknown) => error);

      expect(error).toMatchObject({ name: 'CAcertError', maybeExecuted: false });
      expectNoSecret(printed([error, client]));
    }
  });

  test('in an error about options or input', async () => {
    const attempts: (() => unknown)[] = [
      () => createCAcertClient({ credentials, endpoint: `https://x:${proxyPassword}@y/` }),
      () => createCAcertClient({ credentials, ca: privateKey }),
      () => createCAcertClient({ credentials, env: { HTTPS_PROXY: `socks5://u:${proxyPassword}@h` } }),
      () => createCAcertClient({ credentials: { ...credentials, username: '' } }),
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
    const { client } = await start(() => {});
    const error: unknown = await client
      .signCertificate({ csr: csr + privateKey, emails: [credentials.password] })
      .catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'InvalidInput' });
    expectNoSecret(printed(error));
  });
});
