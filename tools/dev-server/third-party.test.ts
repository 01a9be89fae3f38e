/**
 * The requests of published clients, byte for byte. Nothing here goes through an encoder: each body is literal, except for the
 * server's token and ids.
 */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDevServer } from './index.ts';
import { type Reply, send } from './test-client.ts';
import type { DevServer } from './types.ts';

const KEY = 'ThisIsMySuperSecretAPIKey';

let server: DevServer;

beforeAll(async () => {
  server = await startDevServer({
    email: 'user+test@example.com',
    passphrase: "pass phrase ~*!'()&=%",
    apiKey: KEY,
    keyPool: 1,
    keyPoolReuse: true,
  });
});

afterAll(() => server.stop());

async function post(path: string, query: string): Promise<Reply> {
  const digest = createHmac('sha256', KEY).update(query).digest('hex');
  const reply = await send(server, path, `${query}&digest=${digest}`);
  expect([path, reply.status, reply.text]).toEqual([path, 200, expect.any(String)]);
  return reply;
}

/** `connect` of the PHP client, its digest made by PHP. */
const PHP_CONNECT =
  'email=user%2Btest%40example.com&passphrase=pass+phrase+%7E%2A%21%27%28%29%26%3D%25' +
  '&digest=3c16eb6514b79ba4edda2200449970364025dd6c54706866ccd708584225e3b4';

describe.each(['php', 'raw'] as const)('with the signature checked the %s way', (strictSignature) => {
  test('the PHP client issues, reads, holds and disconnects', async () => {
    await server.setOptions({ strictSignature });
    const connected = await send(server, 'connect', PHP_CONNECT);
    expect(connected.status).toBe(200);
    const { token } = connected.json as { token: string };
    const [ca] = (await post('ca/list', `token=${token}`)).json as { id: number }[];
    const id = ca?.id;
    const made = await post(
      'cert/new',
      'C=NL&CN=%2A.example.com&O=Caf%C3%A9+%26+S%C3%B6hne' +
        '&SANs%5B0%5D%5BDNS%5D=%2A.example.com&SANs%5B1%5D%5BIP%5D=%3A%3A1' +
        '&SANs%5B2%5D%5BURI%5D=https%3A%2F%2Fexample.org%2F%3Fa%3Db&SANs%5B3%5D%5Bemail%5D=demo%40example.com' +
        `&ca_id=${id}&token=${token}`,
    );
    const { cert_id: certId } = made.json as { cert_id: number };
    expect((await post('cert/details', `cert_id=${certId}&token=${token}`)).json).toMatchObject({
      CN: '*.example.com',
      O: 'Café & Söhne',
      Alt: [
        { DNS: '*.example.com' },
        { IP: '::1' },
        { URI: 'https://example.org/?a=b' },
        { email: 'demo@example.com' },
      ],
    });
    const got = await post('cert/get', `cert_id=${certId}&token=${token}&what=key.dec`);
    expect((got.json as { pem: string }).pem).toContain('BEGIN PRIVATE KEY');
    await post('cert/status', `cert_id=${certId}&status=hold&token=${token}`);
    const rows = (await post('cert/list', `ca_id=${id}&token=${token}&what=8`)).json;
    expect(rows).toContainEqual(expect.objectContaining({ id: certId, status: 'hold' }));
    await post('disconnect', `token=${token}`);
    await server.setOptions({ strictSignature: 'either' });
  });
});

test('the Node client works: encodeURIComponent with its first space as a plus, and bare stars', async () => {
  const connected = await post(
    'connect',
    "email=user%2Btest%40example.com&passphrase=pass+phrase%20~*!'()%26%3D%25",
  );
  const { token } = connected.json as { token: string };
  const [ca] = (await post('ca/list', `token=${token}`)).json as { id: number }[];
  const id = ca?.id;
  const made = await post(
    'cert/new',
    'C=US&CN=*.example.com&L=Chicago&O=ACME%2C+Inc.&OU=The+IT%20Department' +
      '&SANs[0][DNS]=*.example.com&SANs[1][DNS]=example.com' +
      `&ST=Illinois&ca_id=${id}&token=${token}`,
  );
  const { cert_id: certId } = made.json as { cert_id: number };
  expect((await post('cert/details', `cert_id=${certId}&token=${token}`)).json).toMatchObject({
    OU: 'The IT Department',
    Alt: [{ DNS: '*.example.com' }, { DNS: 'example.com' }],
  });
  const got = await post('cert/get', `cert_id=${certId}&token=${token}&what=chain`);
  expect((got.json as { pem: string }).pem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  await post('cert/status', `cert_id=${certId}&status=revoked&token=${token}`);
  await post('disconnect', `token=${token}`);
});

test('the .NET client works: a doubled slash, bare signs, eleven names sorted as text', async () => {
  const { token } = (
    await post(
      '/api/v1//connect',
      'email=user%2Btest%40example.com&passphrase=pass+phrase+%7E*!%27()%26%3D%25',
    )
  ).json as { token: string };
  const made = await post(
    '/api/v1//cert/new',
    'C=NL&CN=h0.example.com&O=x' +
      '&SANs%5B0%5D%5BDNS%5D=h0.example.com&SANs%5B1%5D%5BDNS%5D=h1.example.com' +
      '&SANs%5B10%5D%5BDNS%5D=h10.example.com&SANs%5B2%5D%5BDNS%5D=h2.example.com' +
      '&SANs%5B3%5D%5BDNS%5D=h3.example.com&SANs%5B4%5D%5BDNS%5D=h4.example.com' +
      '&SANs%5B5%5D%5BDNS%5D=h5.example.com&SANs%5B6%5D%5BDNS%5D=h6.example.com' +
      '&SANs%5B7%5D%5BDNS%5D=h7.example.com&SANs%5B8%5D%5BDNS%5D=h8.example.com' +
      `&SANs%5B9%5D%5BDNS%5D=h9.example.com&ca_id=${server.authorityId}&token=${token}`,
  );
  const { cert_id: certId } = made.json as { cert_id: number };
  const { Alt } = (await post('cert/details', `cert_id=${certId}&token=${token}`)).json as { Alt: object[] };
  expect(Alt).toHaveLength(11);
  expect(Alt[2]).toEqual({ DNS: 'h10.example.com' });
});
