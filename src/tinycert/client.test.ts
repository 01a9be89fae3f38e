import { afterEach, describe, expect, test } from 'vitest';
import { createTinyCertClient } from './client.ts';
import { createTinyCertSession } from './session.ts';
import { signForm } from './signing.ts';
import { credentials, reply, type Responder, TestServer, withLogin } from './test-server.ts';
import type { AlternativeName, CreateCertificateInput, TinyCertClient } from './types.ts';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(respond: Responder): Promise<{ server: TestServer; client: TinyCertClient }> {
  const server = await TestServer.start(withLogin(respond));
  const client = createTinyCertClient({ endpoint: server.endpoint, credentials, allowLoopbackHttp: true });
  closers.push(
    () => client.close(),
    () => server.close(),
  );
  return { server, client };
}

/** A client whose every call but the login is answered with `body`. */
function answering(body: unknown): Promise<{ server: TestServer; client: TinyCertClient }> {
  return start((request) => reply(request, body));
}

const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const newCertificate: CreateCertificateInput = {
  authorityId: 5,
  subject: { commonName: '*.example.com', country: 'NL', organization: 'Café & Söhne' },
};

interface Case {
  method: string;
  call: string;
  invoke: (client: TinyCertClient) => Promise<unknown>;
  body: unknown;
  sent: Record<string, string>;
  result: unknown;
}

const cases: Case[] = [
  {
    method: 'listAuthorities',
    call: 'ca/list',
    invoke: (client) => client.listAuthorities(),
    body: [
      { id: 123, name: 'ACME, Inc.' },
      { id: '7', name: null },
    ],
    sent: {},
    result: [
      { id: 123, name: 'ACME, Inc.' },
      { id: 7, name: '' },
    ],
  },
  {
    method: 'getAuthority',
    call: 'ca/details',
    invoke: (client) => client.getAuthority(123),
    body: {
      id: 123,
      C: 'NL',
      ST: 'Limburg',
      L: 'Maastricht',
      O: 'ACME, Inc.',
      OU: 'Secure Digital Certificate Signing',
      CN: 'ACME, Inc. CA',
      E: 'someone@example.com',
      hash_alg: 'SHA256',
    },
    sent: { ca_id: '123' },
    result: {
      id: 123,
      subject: {
        country: 'NL',
        province: 'Limburg',
        locality: 'Maastricht',
        organization: 'ACME, Inc.',
        organizationalUnit: 'Secure Digital Certificate Signing',
        commonName: 'ACME, Inc. CA',
      },
      email: 'someone@example.com',
      hashAlgorithm: 'sha256',
    },
  },
  {
    method: 'getAuthorityCertificate',
    call: 'ca/get',
    invoke: (client) => client.getAuthorityCertificate(123),
    body: { pem },
    sent: { ca_id: '123', what: 'cert' },
    result: pem,
  },
  {
    method: 'createAuthority',
    call: 'ca/new',
    invoke: (client) =>
      client.createAuthority({ country: 'US', organization: 'ACME', locality: '', hashAlgorithm: 'sha256' }),
    body: { ca_id: '124' },
    sent: { C: 'US', O: 'ACME', hash_method: 'sha256' },
    result: 124,
  },
  {
    method: 'deleteAuthority',
    call: 'ca/delete',
    invoke: (client) => client.deleteAuthority(124),
    body: {},
    sent: { ca_id: '124' },
    result: undefined,
  },
  {
    method: 'listCertificates',
    call: 'cert/list',
    invoke: (client) => client.listCertificates(5, ['good', 'revoked', 'hold']),
    body: [{ id: 123, name: 'example.com', status: 'good', expires: 987654321 }],
    sent: { ca_id: '5', what: '14' },
    result: [{ id: 123, commonName: 'example.com', status: 'good', expires: 987654321 }],
  },
  {
    method: 'getCertificateDetails',
    call: 'cert/details',
    invoke: (client) => client.getCertificateDetails(9),
    body: {
      id: 9,
      status: 'obsolete',
      C: 'NL',
      O: 'ACME, Inc.',
      CN: 'www.example.com',
      Alt: [{ DNS: 'www.example.com' }, { IP: '127.0.0.1' }, { email: 'a@b.example' }, { URI: 'urn:x' }],
    },
    sent: { cert_id: '9' },
    result: {
      id: 9,
      status: 'obsolete',
      subject: { country: 'NL', organization: 'ACME, Inc.', commonName: 'www.example.com' },
      alternativeNames: [
        { type: 'DNS', value: 'www.example.com' },
        { type: 'IP', value: '127.0.0.1' },
        { type: 'email', value: 'a@b.example' },
        { type: 'URI', value: 'urn:x' },
      ],
      otherNames: [],
    },
  },
  {
    method: 'getCertificate',
    call: 'cert/get',
    invoke: (client) => client.getCertificate(9, 'key.dec'),
    body: { pem },
    sent: { cert_id: '9', what: 'key.dec' },
    result: pem,
  },
  {
    method: 'getCertificate of an archive',
    call: 'cert/get',
    invoke: (client) => client.getCertificate(9, 'pkcs12'),
    body: { pkcs12: 'MIIK\r\n/+8=\r\n' },
    sent: { cert_id: '9', what: 'pkcs12' },
    result: Buffer.from('30820affef', 'hex'),
  },
  {
    method: 'createCertificate',
    call: 'cert/new',
    invoke: (client) =>
      client.createCertificate({
        ...newCertificate,
        subject: {
          ...newCertificate.subject,
          organizationalUnit: 'IT',
          locality: 'Maastricht',
          province: '',
        },
        alternativeNames: [
          { type: 'DNS', value: '*.example.com' },
          { type: 'IP', value: '::1' },
        ],
      }),
    body: { cert_id: 14236 },
    sent: {
      C: 'NL',
      CN: '*.example.com',
      L: 'Maastricht',
      O: 'Café & Söhne',
      OU: 'IT',
      'SANs[0][DNS]': '*.example.com',
      'SANs[1][IP]': '::1',
      ca_id: '5',
    },
    result: 14236,
  },
  {
    method: 'reissueCertificate',
    call: 'cert/reissue',
    invoke: (client) => client.reissueCertificate(9),
    body: { cert_id: 10 },
    sent: { cert_id: '9' },
    result: 10,
  },
  {
    method: 'setCertificateStatus',
    call: 'cert/status',
    invoke: (client) => client.setCertificateStatus(9, 'hold'),
    body: {},
    sent: { cert_id: '9', status: 'hold' },
    result: undefined,
  },
];

describe('a call', () => {
  test.each(cases)('$method posts a signed form to $call and reads the answer', async (given) => {
    const { server, client } = await answering(given.body);

    const result = await given.invoke(client);

    expect(result).toEqual(given.result);
    const [login, request] = server.requests;
    expect(login?.call).toBe('connect');
    expect(request?.call).toBe(given.call);
    const { digest, ...form } = Object.fromEntries(request?.form ?? []);
    expect(form).toEqual({ ...given.sent, token: 'token-1' });
    expect(request?.body.endsWith(`&digest=${digest}`)).toBe(true);
    expect(request?.head).toMatch(/^POST \/api\/v1\/.* HTTP\/1\.1\r\n/);
    expect(request?.head).toMatch(/\r\ncontent-type: application\/x-www-form-urlencoded\r\n/);
  });

  test('connect sends e-mail and passphrase, signed, and no token', async () => {
    const { server, client } = await answering([]);

    await client.connect();

    expect(server.requests[0]?.body).toBe(
      signForm({ email: credentials.email, passphrase: credentials.passphrase }, credentials.apiKey),
    );
  });

  test('disconnect sends the token, and a second one sends nothing', async () => {
    const { server, client } = await answering({});
    await client.connect();

    await client.disconnect();
    await client.disconnect();

    expect(server.calls).toEqual(['connect', 'disconnect']);
    expect(server.requests[1]?.body).toBe(signForm({ token: 'token-1' }, credentials.apiKey));
  });

  test.each([
    ['an empty body', ''],
    ['an empty object', '{}'],
    ['an empty array', '[]'],
    ['an object', '{"success":true}'],
    ['true', 'true'],
    ['something else', '<ok/>'],
  ])('without a result succeeds on a 200 with %s', async (_name, body) => {
    const { client } = await answering(body);

    await client.setCertificateStatus(9, 'good');
    await client.deleteAuthority(5);
    await client.disconnect();
  });
});

describe('the reading of answers', () => {
  test.each([
    ['null', null],
    ['empty', ''],
    ['absent', undefined],
  ])('takes optional parts of a name that are %s as not given', async (_name, missing) => {
    const { client } = await answering({ id: 5, C: 'NL', ST: missing, L: missing, O: 'x', E: missing });

    expect(await client.getAuthority(5)).toEqual({
      id: 5,
      subject: { country: 'NL', organization: 'x' },
      hashAlgorithm: 'unknown',
    });
  });

  test.each([
    ['null', null, []],
    ['absent', undefined, []],
    ['an empty list', [], []],
    ['in other spelling', [{ dns: 'a.example' }], [{ type: 'DNS', value: 'a.example' }]],
  ])('takes alternative names that are %s', async (_name, Alt, names) => {
    const { client } = await answering({ id: '9', status: 'good', Alt });

    expect(await client.getCertificateDetails(9)).toMatchObject({ alternativeNames: names, otherNames: [] });
  });

  test('keeps alternative names of an unknown type apart', async () => {
    const { client } = await answering({ id: 9, status: 'good', Alt: [{ dirName: 'CN=x' }, { DNS: 'a' }] });

    expect(await client.getCertificateDetails(9)).toMatchObject({
      alternativeNames: [{ type: 'DNS', value: 'a' }],
      otherNames: [{ type: 'dirName', value: 'CN=x' }],
    });
  });

  test.each([
    ['Good', 'good'],
    ['suspended', 'unknown'],
    ['', 'unknown'],
    ['__proto__', 'unknown'],
  ])('reads the status %j as %s', async (given, status) => {
    const { client } = await answering([{ id: 1, name: 'a', status: given, expires: '12' }]);

    expect(await client.listCertificates(5)).toEqual([{ id: 1, commonName: 'a', status, expires: 12 }]);
  });

  test.each([
    ['SHA1', 'sha1'],
    ['sha256', 'sha256'],
    ['SHA-256', 'sha256'],
    ['MD5', 'unknown'],
  ])('reads the hash %s as %s', async (hash_alg, hashAlgorithm) => {
    const { client } = await answering({ id: 5, hash_alg });

    expect(await client.getAuthority(5)).toMatchObject({ hashAlgorithm });
  });

  test('takes members it does not know, and a byte order mark', async () => {
    const { client } = await answering('\ufeff {"cert_id": 10, "new": {"deep": [1]}}');

    expect(await client.reissueCertificate(9)).toBe(10);
  });

  test.each<[string, unknown, (client: TinyCertClient) => Promise<unknown>]>([
    ['text in place of JSON', 'ok', (client) => client.listAuthorities()],
    ['an object in place of a list', {}, (client) => client.listAuthorities()],
    ['a list in place of an object', [], (client) => client.reissueCertificate(9)],
    ['null', null, (client) => client.reissueCertificate(9)],
    ['no id', {}, (client) => client.reissueCertificate(9)],
    ['the id zero', { cert_id: 0 }, (client) => client.reissueCertificate(9)],
    ['a negative id', { cert_id: -1 }, (client) => client.reissueCertificate(9)],
    ['a broken id', { cert_id: 1.5 }, (client) => client.reissueCertificate(9)],
    ['an id too large to hold', { cert_id: 2 ** 53 }, (client) => client.reissueCertificate(9)],
    ['an id that is no number', { cert_id: '0x1F' }, (client) => client.reissueCertificate(9)],
    ['an id that is true', { cert_id: true }, (client) => client.reissueCertificate(9)],
    ['details of another id', { id: 8, status: 'good' }, (client) => client.getCertificateDetails(9)],
    ['details of another authority', { id: 8 }, (client) => client.getAuthority(9)],
    ['names of a wrong shape', { id: 9, status: 'good', Alt: ['a'] }, (c) => c.getCertificateDetails(9)],
    [
      'a name that is no text',
      { id: 9, status: 'good', Alt: [{ DNS: 1 }] },
      (c) => c.getCertificateDetails(9),
    ],
    ['no status', { id: 9 }, (client) => client.getCertificateDetails(9)],
    ['no PEM', { pem: 'none' }, (client) => client.getCertificate(9, 'cert')],
    ['an archive in place of PEM', { pkcs12: 'MIIK' }, (client) => client.getCertificate(9, 'cert')],
    ['PEM in place of an archive', { pem }, (client) => client.getCertificate(9, 'pkcs12')],
    ['a broken archive', { pkcs12: 'MII*' }, (client) => client.getCertificate(9, 'pkcs12')],
    ['an empty archive', { pkcs12: '' }, (client) => client.getCertificate(9, 'pkcs12')],
    ['an object in place of a stream', {}, (client) => client.listCertificates(5)],
    ['null in place of a stream', null, (client) => client.listCertificates(5)],
    ['an entry without an expiry', [{ id: 1, name: 'a', status: 'good' }], (c) => c.listCertificates(5)],
    ['a cut list', '[{"id":1,"name":"a","status":"good","expires":1}', (c) => c.listCertificates(5)],
  ])('refuses %s', async (_name, body, invoke) => {
    const { client } = await answering(body);

    await expect(invoke(client)).rejects.toMatchObject({
      code: 'ProtocolError',
      kind: 'protocol',
      status: 200,
      maybeExecuted: true,
    });
  });
});

describe('the stream of a list', () => {
  test('hands entries over while the list still arrives', async () => {
    const entry = (id: number): string => JSON.stringify({ id, name: 'a', status: 'good', expires: 1 });
    const { server, client } = await start(({ socket }) => {
      socket.write(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunked(`[${entry(1)},${entry(2)}`)}`,
      );
    });
    const ids: number[] = [];
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    const count = client.streamCertificates(5, undefined, ({ id }) => {
      if (ids.push(id) === 2) resolve();
    });
    await arrived;

    server.requests[1]?.socket.write(`${chunked(`,${entry(3)}]`)}0\r\n\r\n`);

    expect(await count).toBe(3);
    expect(ids).toEqual([1, 2, 3]);
  });

  test('ends with what its consumer throws, and the client goes on', async () => {
    const { client } = await answering([{ id: 1, name: 'a', status: 'good', expires: 1 }]);
    const enough = new Error('enough');

    await expect(
      client.streamCertificates(5, undefined, () => {
        throw enough;
      }),
    ).rejects.toBe(enough);
    expect(await client.listCertificates(5)).toHaveLength(1);
  });

  test('reads a list longer than other answers may be', async () => {
    const list = Array.from({ length: 20_000 }, (_, at) => ({
      id: at + 1,
      name: 'é'.repeat(9),
      status: 'good',
      expires: at,
    }));
    const { client } = await answering(list);

    const entries = await client.listCertificates(5);

    expect(entries).toEqual(
      list.map(({ id, name, status, expires }) => ({ id, commonName: name, status, expires })),
    );
  });

  test.each<[string, number | readonly ('expired' | 'good')[] | undefined, string]>([
    ['all', undefined, '15'],
    ['a mask', 6, '6'],
    ['names', ['expired', 'good', 'good'], '3'],
  ])('asks for %s', async (_name, filter, what) => {
    const { server, client } = await answering([]);

    await client.listCertificates(5, filter);

    expect(server.requests[1]?.form.get('what')).toBe(what);
  });
});

describe('an input that cannot be sent', () => {
  const name = (type: string, value: string): AlternativeName => ({ type, value }) as AlternativeName;
  test.each<[string, (client: TinyCertClient) => Promise<unknown>]>([
    ['an id of zero', (client) => client.getCertificateDetails(0)],
    ['a fractional id', (client) => client.reissueCertificate(1.5)],
    ['no id', (client) => client.deleteAuthority(Number.NaN)],
    ['an unknown item', (client) => client.getCertificate(9, 'everything' as 'cert')],
    ['an unknown status', (client) => client.setCertificateStatus(9, 'obsolete' as 'good')],
    ['an empty filter', (client) => client.listCertificates(5, [])],
    ['a mask out of range', (client) => client.listCertificates(5, 16)],
    [
      'a country that is none',
      (c) => c.createAuthority({ country: 'Holland', organization: 'x', hashAlgorithm: 'sha1' }),
    ],
    [
      'an empty organization',
      (c) => c.createAuthority({ country: 'NL', organization: '', hashAlgorithm: 'sha1' }),
    ],
    [
      'no common name',
      (c) =>
        c.createCertificate({ ...newCertificate, subject: { ...newCertificate.subject, commonName: '' } }),
    ],
    ['an empty name', (c) => c.createCertificate({ ...newCertificate, alternativeNames: [name('DNS', '')] })],
    [
      'a name of unknown type',
      (c) => c.createCertificate({ ...newCertificate, alternativeNames: [name('dns', 'a')] }),
    ],
  ])('is refused before anything is sent: %s', async (_name, invoke) => {
    const { server, client } = await answering({});

    await expect(invoke(client)).rejects.toMatchObject({
      code: 'InvalidInput',
      kind: 'input',
      maybeExecuted: false,
    });
    expect(server.calls).toEqual([]);
  });
});

describe('options', () => {
  const good = { credentials, endpoint: 'https://ca.example/', env: {} };
  test.each([
    ['no e-mail', { ...good, credentials: { ...credentials, email: '' } }],
    ['no passphrase', { ...good, credentials: { ...credentials, passphrase: '' } }],
    ['no API key', { ...good, credentials: { ...credentials, apiKey: '' } }],
    ['no connections', { ...good, connections: 0 }],
    ['no time', { ...good, deadlineMs: 0 }],
    ['a line break in the user agent', { ...good, userAgent: 'a\r\nb' }],
    ['an endpoint without TLS', { ...good, endpoint: 'http://ca.example/' }],
    ['a CA bundle without a certificate', { ...good, ca: 'none' }],
    ['a proxy that is no URL', { ...good, env: { HTTPS_PROXY: 'http://' } }],
    [
      "another account's session",
      { ...good, session: createTinyCertSession({ ...good, endpoint: 'https://b/' }) },
    ],
  ])('with %s are refused', (_name, options) => {
    expect(() => createTinyCertClient(options)).toThrow(expect.objectContaining({ code: 'InvalidOptions' }));
  });

  test('alone connect to nothing', async () => {
    const { server } = await answering({});
    const client = createTinyCertClient({ endpoint: server.endpoint, credentials, allowLoopbackHttp: true });
    await client.close({ disconnect: true });

    expect(server.bytes).toEqual([]);
  });
});

function chunked(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}
