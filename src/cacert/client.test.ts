import { describe, expect, test } from 'vitest';
import { expectLinear, runsOf } from '../../test/support/scaling.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { closeAfterEach } from '../http/test-client.ts';
import { reply } from '../http/test-server.ts';
import type { FinishedRequest } from '../http/types.ts';
import { createCAcertClient } from './client.ts';
import { answering, connectTo, credentials, csr, input, leaf, serve } from './test-client.ts';
import type { CAcertClientOptions, SignCertificateInput } from './types.ts';

closeAfterEach();

const signed = `200,Authentication Ok\n${leaf}`;
const account = '200,Authentication Ok\nCS=0\nNAME=CAcert WoT User\nEMAIL=a@b.example\n';

describe('a call', () => {
  test('to sign posts a form, byte for byte as PHP expects it', async () => {
    const { server, client } = await answering(signed);

    await client.signCertificate({
      csr,
      emails: ['a+b@example.com', 'ü@example.com'],
      name: "Zoë O'Brien",
      codeSigning: true,
    });

    const [request] = server.requests;
    expect(request?.body).toBe(
      'username=someone%40example.com&password=open+sesame%21&email%5B0%5D=a%2Bb%40example.com' +
        '&email%5B1%5D=%C3%BC%40example.com&name=Zo%C3%AB+O%27Brien&codesign=1&optionalCSR=' +
        '-----BEGIN+CERTIFICATE+REQUEST-----%0AMIIB%2B%2F%2B%3D%0A-----END+CERTIFICATE+REQUEST-----',
    );
    expect(request?.form.get('optionalCSR')).toBe(csr.trim());
    expect(request?.head).toMatch(/^POST \/api\/ccsr\.php HTTP\/1\.1\r\n/);
    expect(request?.head).toMatch(/\r\ncontent-type: application\/x-www-form-urlencoded\r\n/);
    expect(request?.head).toMatch(/\r\naccept-language: en\r\n/);
  });

  test('to sign sends name and addresses in the encoding of the database', async () => {
    const { server, client } = await answering(signed);

    await client.signCertificate({ csr, emails: ['ü@example.com'], name: 'Zoë', encoding: 'latin1' });
    await client.signCertificate({ csr, emails: ['ü@example.com'], name: 'Zoë', encoding: 'utf8' });

    const [first, second] = server.requests;
    expect(first?.body).toContain('email%5B0%5D=%FC%40example.com&name=Zo%EB&');
    expect(second?.body).toContain('email%5B0%5D=%C3%BC%40example.com&name=Zo%C3%AB&');
  });

  test('to sign sends no field for an absent input', async () => {
    const { server, client } = await answering(signed);

    await client.signCertificate({ ...input, codeSigning: false });

    expect([...(server.requests[0]?.form.keys() ?? [])]).toEqual([
      'username',
      'password',
      'email[0]',
      'optionalCSR',
    ]);
  });

  test('for the account posts the login and nothing else', async () => {
    const { server, client } = await answering(account);

    await client.getAccount();

    const [request] = server.requests;
    expect(request?.body).toBe('username=someone%40example.com&password=open+sesame%21');
    expect(request?.head).toMatch(/^POST \/api\/cemails\.php HTTP\/1\.1\r\n/);
    expect(request?.head).toMatch(/\r\naccept-language: en\r\n/);
  });

  test('sends the login without the blanks that a file may add', async () => {
    const { server } = await answering(account);
    const padded = { username: ' someone@example.com\r\n', password: '\t pass  word\u00a0\n\0' };

    await connectTo(server.endpoint, { credentials: padded }).getAccount();

    const { username, password } = Object.fromEntries(server.requests[0]?.form ?? []);
    expect({ username, password }).toEqual({
      username: 'someone@example.com',
      password: 'pass  word\u00a0',
    });
  });

  test('does not send back a cookie of an earlier answer', async () => {
    const { server, client } = await answering(account);

    await client.getAccount();
    await client.getAccount();

    expect(server.requests).toHaveLength(2);
    for (const { head } of server.requests) expect(head).not.toMatch(/cookie/i);
  });

  test('has a path below the endpoint', async () => {
    const { server } = await answering(account);

    await connectTo(`${server.endpoint}v2`).getAccount();

    expect(server.calls).toEqual(['v2/cemails.php']);
  });

  test('is reported with its outcome when it ends', async () => {
    const { server } = await answering(account);
    const clock = new VirtualClock();
    const finished: FinishedRequest[] = [];
    const client = connectTo(server.endpoint, { clock, onRequest: (request) => finished.push(request) });

    await client.getAccount();
    server.respond = (request) => reply(request, '404,Your certificate request has failed. ID: 7');
    await expect(client.signCertificate(input)).rejects.toMatchObject({ requestId: 7 });
    const beforeSend = (): void => {
      throw new Error('too late');
    };
    await expect(client.signCertificate(input, { beforeSend })).rejects.toThrow('too late');

    expect(finished).toEqual([
      { call: 'cemails.php', code: '200', milliseconds: 0 },
      { call: 'ccsr.php', code: 'IssuanceUncertain', milliseconds: 0 },
      { call: 'ccsr.php', code: 'NotSent', milliseconds: 0 },
    ]);
  });

  test('measures the offset of the service’s clock', async () => {
    const clock = new VirtualClock();
    const date = new Date(clock.now() + 120_000).toUTCString();
    const server = await serve((request) => reply(request, account, { headers: { date } }));
    const client = connectTo(server.endpoint, { clock });
    expect(client.clockOffset()).toBeUndefined();

    await client.getAccount();

    expect(client.clockOffset()).toEqual({ ms: 120_500, uncertaintyMs: 500 });
  });
});

describe('an input', () => {
  test.each<[string, Partial<SignCertificateInput>, string]>([
    ['no address', { emails: [] }, 'emails'],
    ['an empty address', { emails: ['a@b.example', ''] }, 'emails.1'],
    ['an invalid address', { emails: ['someone'] }, 'emails.0'],
    ['two addresses in one', { emails: ['a@b.example, c@d.example'] }, 'emails.0'],
    ['an address with a line end', { emails: ['a@b.example\n'] }, 'emails.0'],
    ['an empty name', { name: '' }, 'name'],
    ['a name with a line end', { name: 'a\nb' }, 'name'],
    ['a name with a lone surrogate', { name: 'a\ud800' }, 'name'],
    ['a name beyond its encoding', { name: 'Žofie', encoding: 'latin1' }, 'name'],
    ['an address beyond its encoding', { emails: ['ž@b.example'], encoding: 'latin1' }, 'emails'],
    ['no request', { csr: '' }, 'csr'],
    ['a request without its PEM label', { csr: 'MIIB' }, 'csr'],
    ['a certificate instead of a request', { csr: leaf }, 'csr'],
    [
      'a request and a private key',
      { csr: `${csr}-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n` },
      'csr',
    ],
    ['two requests', { csr: csr + csr }, 'csr'],
    ['a request with other characters', { csr: csr.replace('MIIB', 'MI&B') }, 'csr'],
    ['a request that is too long', { csr: csr.replace('MIIB', 'M'.repeat(65_536)) }, 'csr'],
  ])('with %s is refused before anything is sent', async (_name, part, field) => {
    const { server, client } = await answering(signed);

    await expect(client.signCertificate({ ...input, ...part })).rejects.toMatchObject({
      name: 'CAcertError',
      code: 'InvalidInput',
      kind: 'input',
      call: 'ccsr.php',
      maybeExecuted: false,
      detail: expect.stringMatching(new RegExp(`^${field} cannot be sent`)),
    });
    expect(server.bytes).toEqual([]);
  });

  test('may have a request with the older PEM label', async () => {
    const { client } = await answering(signed);
    const older = csr.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST');

    expect(await client.signCertificate({ ...input, csr: older })).toEqual({ certificate: leaf });
  });

  test.each([89_999, 0, Number.NaN])(
    'with a deadline of %d ms is refused, as CAcert takes longer',
    async (deadlineMs) => {
      const { server, client } = await answering(signed);

      await expect(client.signCertificate(input, { deadlineMs })).rejects.toMatchObject({
        code: 'InvalidInput',
        maybeExecuted: false,
      });
      expect(server.bytes).toEqual([]);
    },
  );
});

describe('options', () => {
  test.each<[string, Partial<CAcertClientOptions>]>([
    ['no user name', { credentials: { ...credentials, username: '' } }],
    ['a password of blanks', { credentials: { ...credentials, password: ' \n' } }],
    ['http:// to another machine', { endpoint: 'http://www.cacert.org/api/', allowLoopbackHttp: true }],
    ['http:// to this machine without permission', { endpoint: 'http://127.0.0.1:1/api/' }],
    ['a password in the endpoint', { endpoint: 'https://me:hunter2@www.cacert.org/api/' }],
    ['a query in the endpoint', { endpoint: 'https://www.cacert.org/api/?lang=en' }],
    ['a bundle without a certificate', { ca: 'none' }],
    ['too short a time to sign', { signingDeadlineMs: 89_999 }],
    ['no time for the account', { accountDeadlineMs: 0 }],
    ['no connections', { connections: 0 }],
    ['a user agent of two lines', { userAgent: 'a\r\nb' }],
    ['a proxy of another kind', { env: { HTTPS_PROXY: 'socks5://proxy.example' } }],
  ])('with %s are refused', (_name, options) => {
    expect(() => createCAcertClient({ credentials, env: {}, ...options })).toThrow(
      expect.objectContaining({
        name: 'CAcertError',
        code: 'InvalidOptions',
        call: 'createCAcertClient',
        maybeExecuted: false,
      }),
    );
  });
});

test.each([
  ['blanks', ' '],
  ['line breaks', '\r\n'],
])('a password of %s is read in linear time', (_, part) => {
  // The options are refused after the password is read, so there is no client to close.
  const read = (password: string): unknown =>
    createCAcertClient({ credentials: { ...credentials, password }, accountDeadlineMs: 0 });
  expectLinear(read, runsOf(part), { to: 1024 * 1024 });
});

test('a closed client makes no call', async () => {
  const { server, client } = await answering(account);
  await client.close();

  await expect(client.getAccount()).rejects.toMatchObject({ code: 'Closed', maybeExecuted: false });
  await expect(client.signCertificate(input)).rejects.toMatchObject({ code: 'Closed', maybeExecuted: false });
  expect(server.bytes).toEqual([]);
});
