/** The calls and their refusals, as far as the public documentation describes them. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startDevServer } from './index.ts';
import { type STATUS_OF_CODE } from './service-error.ts';
import { TestClient, send, signedBody } from './test-client.ts';
import type { DevServer } from './types.ts';

type Code = keyof typeof STATUS_OF_CODE;

let server: DevServer;
let client: TestClient;
let now = Date.UTC(2026, 0, 1);

beforeAll(async () => {
  server = await startDevServer({ keyPool: 2, keyPoolReuse: true, otherCustomers: 0, now: () => now });
});

afterAll(() => server.stop());

beforeEach(async () => {
  now += 3_600_000;
  client = await TestClient.connected(server);
});

describe('connect and disconnect', () => {
  test('a token is 64 hex digits, and several sessions can exist at once', async () => {
    const second = await TestClient.connected(server);
    expect(client.token).toMatch(/^[0-9a-f]{64}$/);
    expect(second.token).not.toBe(client.token);
    expect((await client.call('ca/list')).status).toBe(200);
    expect((await second.call('ca/list')).status).toBe(200);
  });

  test('after disconnect the token is invalid', async () => {
    const reply = await client.call('disconnect');
    expect([reply.status, reply.text]).toEqual([200, '{}']);
    expect((await client.call('ca/list')).json).toMatchObject({ code: 'InvalidToken' });
  });

  test('a session ends an hour after connect, used or not', async () => {
    now += 3_599_000;
    expect((await client.call('ca/list')).status).toBe(200);
    now += 1000;
    const reply = await client.call('ca/list');
    expect([reply.status, reply.json]).toEqual([403, expect.objectContaining({ code: 'InvalidToken' })]);
  });

  test('an old token sent with connect does no harm', async () => {
    const query = new URLSearchParams({
      email: server.email,
      passphrase: server.passphrase,
      token: 'old',
    }).toString();
    expect((await send(server, 'connect', signedBody(query, server.apiKey))).status).toBe(200);
  });
});

describe('authorities', () => {
  test('an authority is made, listed by its organization, shown, fetched and deleted with its certificates', async () => {
    const params = { C: 'NL', L: 'Maastricht', O: 'ACME, Inc.', ST: 'Limburg', hash_method: 'sha256' };
    const { ca_id: id } = (await client.call('ca/new', params)).json as { ca_id: number };
    expect((await client.call('ca/list')).json).toEqual([
      { id: server.authorityId, name: 'Example Org' },
      { id, name: 'ACME, Inc.' },
    ]);
    expect((await client.call('ca/details', { ca_id: id })).json).toEqual({
      id,
      C: 'NL',
      ST: 'Limburg',
      L: 'Maastricht',
      O: 'ACME, Inc.',
      OU: 'Secure Digital Certificate Signing',
      CN: 'ACME, Inc. CA',
      E: server.email,
      hash_alg: 'SHA256',
    });
    const certificate = await client.issue({ ca_id: id });
    const deleted = await client.call('ca/delete', { ca_id: id });
    expect([deleted.status, deleted.text]).toEqual([200, '{}']);
    expect((await client.call('ca/details', { ca_id: id })).json).toMatchObject({ code: 'NotFound' });
    expect((await client.call('cert/details', { cert_id: certificate })).json).toMatchObject({
      code: 'NotFound',
    });
    expect(server.certificates().map((view) => view.id)).not.toContain(certificate);
  });

  test.each([
    ['empty', { ST: '', L: '' }],
    ['null', { ST: null, L: null }],
    ['absent', {}],
  ] as const)('parts that were not given can be shown as %s', async (emptyFields, want) => {
    await server.setOptions({ emptyFields });
    const { json } = await client.call('ca/details', { ca_id: server.authorityId });
    const { ST, L } = json as { ST?: unknown; L?: unknown };
    expect({ ...(ST === undefined ? {} : { ST }), ...(L === undefined ? {} : { L }) }).toEqual(want);
    await server.setOptions({ emptyFields: 'empty' });
  });
});

describe('certificates', () => {
  test('details show what was entered, with the names in order', async () => {
    const id = await client.issue({ OU: 'IT Department', 'SANs[1][IP]': '127.0.0.1' });
    expect((await client.call('cert/details', { cert_id: id })).json).toEqual({
      id,
      status: 'good',
      C: 'US',
      ST: '',
      L: '',
      O: 'ACME, Inc.',
      OU: 'IT Department',
      CN: 'www.example.com',
      Alt: [{ DNS: 'www.example.com' }, { IP: '127.0.0.1' }],
    });
  });

  test('ids are ascending numbers, and .json and a doubled slash change nothing', async () => {
    const first = await client.issue();
    const second = await client.issue();
    expect(second).toBe(first + 1);
    expect((await client.call('cert/details.json', { cert_id: second })).json).toMatchObject({ id: second });
    expect((await client.call('/api/v1//ca/list')).status).toBe(200);
  });

  test('the control URL has every issued id, with its key and origin', async () => {
    const id = await client.issue();
    const { seq } = server.journal().findLast((entry) => entry.call === 'cert/new') ?? { seq: -1 };
    const made = server.certificates().find((view) => view.id === id);
    expect(made).toMatchObject({
      caId: server.authorityId,
      account: server.email,
      cn: 'www.example.com',
      names: [{ type: 'DNS', value: 'www.example.com' }],
      status: 'good',
      origin: seq,
      notBefore: now / 1000,
      notAfter: now / 1000 + 365 * 86_400,
    });
    expect(made?.keyFingerprint).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('refusals', () => {
  const legal = { C: 'US', CN: 'a.example', O: 'x' };

  test.each<[string, Code, string, () => Promise<{ status: number; json: unknown }>]>([
    ['a GET', 'MethodDisallowed', '', () => client.call('ca/list', {}, { method: 'GET' })],
    ['a PUT', 'MethodDisallowed', '', () => client.call('ca/list', {}, { method: 'PUT' })],
    ['XML', 'InputFailure', 'JSON', () => client.call('ca/list.xml')],
    ['an unknown call', 'NotFound', '', () => client.call('cert/renew')],
    ['an unknown e-mail', 'AccountNotFound', '', () => client.connect({ email: 'no@example.com' })],
    ['a wrong API key', 'ApiKeyMismatch', '', () => client.connect({ apiKey: 'wrong' })],
    ['a wrong passphrase', 'PassphraseFailure', '', () => client.connect({ passphrase: 'wrong' })],
    ['no e-mail', 'MissingParameter', "'email'", () => send(server, 'connect', 'passphrase=x')],
    ['no passphrase', 'MissingParameter', "'passphrase'", () => send(server, 'connect', 'email=x')],
    ['no token', 'MissingParameter', "'token'", () => send(server, 'ca/list', 'digest=x')],
    ['no digest', 'MissingParameter', "'digest'", () => send(server, 'ca/list', 'token=x')],
    [
      'a body of another type',
      'MissingParameter',
      "'token'",
      () => client.call('ca/list', {}, { headers: { 'content-type': 'application/json' } }),
    ],
    [
      'an unknown token',
      'InvalidToken',
      '',
      () => send(server, 'ca/list', signedBody('token=x', server.apiKey)),
    ],
    [
      'a session’s call signed with another key',
      'SignatureFailure',
      '',
      () => send(server, 'ca/list', signedBody(`token=${client.token}`, 'wrong')),
    ],
    ['no ca_id', 'MissingParameter', "'ca_id'", () => client.call('ca/details')],
    ['a ca_id of letters', 'InputFailure', "'ca_id'", () => client.call('ca/details', { ca_id: 'x' })],
    ['an unknown CA', 'NotFound', '', () => client.call('ca/details', { ca_id: 9 })],
    ['an unknown certificate', 'NotFound', '', () => client.call('cert/details', { cert_id: 9 })],
    [
      'another customer’s CA',
      'AccessDenied',
      '',
      () => client.call('ca/details', { ca_id: server.otherAccount.authorityId }),
    ],
    [
      'a CA’s private key',
      'InputFailure',
      "'what'",
      () => client.call('ca/get', { ca_id: server.authorityId, what: 'key.dec' }),
    ],
    [
      'a list of unknown bits',
      'InputFailure',
      "'what'",
      () => client.call('cert/list', { ca_id: server.authorityId, what: 16 }),
    ],
    [
      'a CA without hash',
      'MissingParameter',
      "'hash_method'",
      () => client.call('ca/new', { C: 'US', O: 'x' }),
    ],
    [
      'a CA with MD5',
      'InputFailure',
      "'hash_method'",
      () => client.call('ca/new', { C: 'US', O: 'x', hash_method: 'md5' }),
    ],
    ['no organization', 'MissingParameter', "'O'", () => client.call('cert/new', { C: 'US', CN: 'a' })],
    ['no country', 'MissingParameter', "'C'", () => client.call('cert/new', { CN: 'a', O: 'x' })],
    ['no common name', 'MissingParameter', "'CN'", () => client.call('cert/new', { C: 'US', O: 'x' })],
    [
      'an empty common name',
      'InputFailure',
      "'CN'",
      () => client.call('cert/new', { ...legal, CN: '', ca_id: server.authorityId }),
    ],
    [
      'a common name of 65',
      'InputFailure',
      "'CN'",
      () => client.call('cert/new', { ...legal, CN: 'a'.repeat(65), ca_id: server.authorityId }),
    ],
    [
      'a country of three letters',
      'InputFailure',
      "'C'",
      () => client.call('cert/new', { ...legal, C: 'USA', ca_id: server.authorityId }),
    ],
    [
      'names sent empty',
      'InputFailure',
      "'SANs'",
      () => client.call('cert/new', { ...legal, SANs: '', ca_id: server.authorityId }),
    ],
    [
      'a partial wildcard',
      'InputFailure',
      "'SANs'",
      () => client.call('cert/new', { ...legal, 'SANs[0][DNS]': 'al*.test.net', ca_id: server.authorityId }),
    ],
  ])('%s is %s', async (_, code, mention, ask) => {
    const statuses: Partial<Record<Code, number>> = {
      MethodDisallowed: 400,
      InputFailure: 400,
      MissingParameter: 400,
      NotFound: 404,
      AccountNotFound: 404,
    };
    const reply = await ask();
    const { text, ...rest } = reply.json as { code: string; text: string };
    expect([reply.status, rest]).toEqual([statuses[code] ?? 403, { code }]);
    expect(text).toContain(mention);
  });

  test.each([
    ['AccessDenied', 403],
    ['AccountError', 500],
    ['AccountNotFound', 404],
    ['AccountNotLoaded', 500],
    ['ApiKeyMismatch', 403],
    ['InputFailure', 400],
    ['InvalidToken', 403],
    ['MethodDisallowed', 400],
    ['MissingParameter', 400],
    ['NotFound', 404],
    ['NotLatest', 400],
    ['PassphraseFailure', 403],
    ['RateLimitExceeded', 429],
    ['SessionError', 403],
    ['SignatureFailure', 403],
    ['StatusDisallowed', 400],
    ['UnknownError', 500],
    ['SomethingNew', 500],
  ])('%s can be a fault and has status %d', async (code, status) => {
    server.addFault({ call: 'ca/list', kind: 'error', code });
    const reply = await client.call('ca/list');
    expect([reply.status, reply.json]).toEqual([status, { code, text: expect.any(String) }]);
    expect((await client.call('ca/list')).status).toBe(200);
  });

  test('making too many within a minute is refused, and works again after it', async () => {
    await server.setOptions({ rateLimit: 2, retryAfter: 17 });
    const params = { ...legal, ca_id: server.authorityId };
    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push(await client.call('cert/new', params));
    expect(statuses.map((reply) => reply.status)).toEqual([200, 200, 429]);
    expect(statuses[2]?.json).toMatchObject({ code: 'RateLimitExceeded' });
    expect(statuses[2]?.headers['retry-after']).toBe('17');
    expect((await client.call('ca/list')).status).toBe(200);
    now += 60_000;
    expect((await client.call('cert/new', params)).status).toBe(200);
    await server.setOptions({ rateLimit: null, retryAfter: null });
  });
});

test('any mangled body is merely refused', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'token',
      'digest',
      'ca_id',
      'SANs[0][DNS]',
      'SANs[',
      'SANs[]',
      '[',
      '=',
      '&',
      '%',
      '%ff',
      '+',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  const query = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('connect', 'cert/new', 'cert/get'), query, async (call, text) => {
      for (const body of [text, signedBody(`${text}&token=${client.token}`, server.apiKey)]) {
        const reply = await send(server, call, body);
        expect([400, 403, 404]).toContain(reply.status);
        expect(reply.json).toEqual({ code: expect.any(String), text: expect.any(String) });
      }
    }),
    { numRuns: 40 },
  );
});
