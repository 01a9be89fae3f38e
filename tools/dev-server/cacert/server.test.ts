/** Starting and stopping, TLS, the control URL. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { startCAcertServer } from '../index.ts';
import { ask, call, openssl, opensslRequest, send } from './test-client.ts';
import type { CAcertServer, CAcertServerOptions } from './types.ts';

const csr = opensslRequest('rsa:2048');
const running: CAcertServer[] = [];

async function start(options: CAcertServerOptions = {}): Promise<CAcertServer> {
  const server = await startCAcertServer(options);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

/** A request to the control URL; its JSON. */
async function control(server: CAcertServer, action: string, body?: unknown): Promise<unknown> {
  const [method = '', path = ''] = action.split(' ');
  const response = await fetch(server.controlUrl + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer: unknown = text === '' ? undefined : JSON.parse(text);
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return answer;
}

test('with TLS the class 1 root signs the site, which answers to both names of loopback', async () => {
  const server = await start();
  const reply = await call(server, 'cemails');
  const named = await send(
    { ...server, endpoint: server.endpoint.replace('127.0.0.1', 'localhost') },
    'cemails.php',
  );

  expect(server.endpoint).toMatch(/^https:/);
  expect([reply.status, named.status]).toEqual([200, 200]);
  expect(readFileSync(server.caFile, 'utf8')).toBe(server.caPem);
  expect(server.caPem).toBe(server.ca.rootPem + server.ca.class3Pem);
  expect(new X509Certificate(server.ca.class3Pem).issuer).toBe(
    new X509Certificate(server.ca.rootPem).subject,
  );
});

test('the default member can have a certificate with a name', async () => {
  const server = await start({ protocol: 'http' });
  await ask(server, csr, [['name', 'Dev Example']]);

  expect(server.certificates()[0]).toMatchObject({ cn: 'Dev Example', emails: ['dev@example.com'] });
  expect(server.members()).toEqual([
    expect.objectContaining({
      username: 'dev@example.com',
      points: 100,
      emails: ['dev@example.com', 'dev@example.org'],
    }),
  ]);
  expect(JSON.stringify(server.members())).not.toContain(server.password);
});

test('a stop ends hanging and waiting calls, refuses new ones, and removes its files', async () => {
  const server = await start({ wait: '1h', signing: '1h' });
  server.addFault({ call: 'cemails', kind: 'hang' });
  const outcomes = Promise.allSettled([call(server, 'cemails'), ask(server, csr)]);
  await server.waitForCall((entry) => entry.call === 'cemails');
  await server.waitForCall((entry) => entry.result !== undefined);
  await Promise.all([server.stop(), server.stop()]);

  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(existsSync(server.caFile)).toBe(false);
  await expect(call(server, 'cemails')).rejects.toThrow(/ECONNREFUSED/);
});

test('an outage refuses connections, and afterwards the same port answers', async () => {
  const server = await start({ protocol: 'http' });
  await server.setOptions({ listening: false });
  await expect(call(server, 'cemails')).rejects.toThrow(/ECONNREFUSED/);
  await server.setOptions({ listening: true });

  expect((await call(server, 'cemails')).status).toBe(200);
});

test('two servers in succession have authorities with the same keys', async () => {
  const keys = [];
  for (let i = 0; i < 2; i += 1) keys.push(new X509Certificate((await start()).ca.rootPem).publicKey);

  expect(keys[0]?.equals(keys[1] ?? keys[0])).toBe(true);
});

test.each<[string, CAcertServerOptions]>([
  ['a lifetime under a second', { validity: '10ms' }],
  ['a wait that is no time', { wait: 'soon' }],
  ['no member', { members: [] }],
  [
    'a member without an address',
    { members: [{ username: 'x', password: 'p', firstName: 'A', lastName: 'B' }] },
  ],
])('refuses %s', async (_, options) => {
  await expect(startCAcertServer(options)).rejects.toThrow(RangeError);
});

describe('the control URL', () => {
  test('shows and changes everything that the library does', async () => {
    const server = await start({ protocol: 'http' });
    await control(server, 'POST /faults', { call: 'ccsr', kind: 'unsigned' });
    await ask(server, csr);
    const [request] = (await control(server, 'GET /requests')) as { id: number; status: string }[];
    expect(request?.status).toBe('waiting');

    const signed = await control(server, `POST /requests/${request?.id}/sign`);
    const { pem } = (await control(server, `GET /certificates/${request?.id}`)) as { pem: string };
    expect(await control(server, 'GET /certificates')).toEqual([signed]);
    expect(new X509Certificate(pem).serialNumber.toLowerCase()).toBe(server.certificates()[0]?.serial);
    expect(await control(server, 'GET /stats')).toMatchObject({
      calls: { ccsr: 1 },
      requests: { waiting: 0, signed: 1 },
      certificates: 1,
    });
    expect(await control(server, 'GET /journal')).toEqual(JSON.parse(JSON.stringify(server.journal())));
    expect(await control(server, 'GET /faults')).toMatchObject([{ struck: 1, done: true }]);

    await control(server, 'DELETE /faults');
    await control(server, 'DELETE /journal');
    await control(server, 'POST /members', {
      username: 'a@example.com',
      password: 'p',
      firstName: 'A',
      lastName: 'B',
    });
    await control(server, 'PUT /options', { class3: true });
    expect([server.faults(), server.journal(), server.members().length]).toEqual([[], [], 2]);
    await ask(server, csr);
    expect(server.certificates()[1]?.issuer).toBe('class3');
    server.addFault({ call: '*', kind: 'hold' });
    const held = call(server, 'cemails');
    await server.waitForCall((entry) => entry.held === true);
    expect(await control(server, 'POST /release')).toEqual({ released: 1 });
    expect((await held).status).toBe(200);
  });

  test.each<[string, unknown, RegExp]>([
    ['POST /faults', { call: 'ccsr', kind: 'gremlin' }, /^Error: 400/],
    ['POST /faults', { call: 'cert/new', kind: 'hang' }, /^Error: 400/],
    ['PUT /options', { wait: 'soon' }, /^Error: 400/],
    ['POST /members', { username: 'nobody' }, /^Error: 400/],
    ['GET /certificates/1', undefined, /^Error: 404/],
    ['POST /requests/1/sign', undefined, /^Error: 404/],
    ['GET /nothing', undefined, /^Error: 404/],
  ])('refuses %s with %j', async (action, body, refusal) => {
    const server = await start({ protocol: 'http' });
    const outcome = await control(server, action, body).catch(String);

    expect(outcome).toMatch(refusal);
  });

  test('publishes what the certificates point to, including revocations', async () => {
    const server = await start({ protocol: 'http' });
    await ask(server, csr);
    const [certificate] = server.certificates();
    const urls = new X509Certificate(server.certificatePem(certificate?.id ?? 0)).toString();
    const text = openssl(['x509', '-noout', '-text'], urls);
    const crlUrl = /URI:(http\S+\.crl)/.exec(text)?.[1] ?? '';
    const ocspUrl = /OCSP - URI:(\S+)/.exec(text)?.[1] ?? '';
    const crl = async (): Promise<string> => {
      const der = Buffer.from(await (await fetch(crlUrl)).arrayBuffer());
      const pem = `-----BEGIN X509 CRL-----\n${der.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END X509 CRL-----\n`;
      return openssl(['crl', '-noout', '-text', '-verify', '-CAfile', server.caFile], pem);
    };
    const before = await crl();
    await control(server, `POST /certificates/${certificate?.id}/revoke`);

    expect(before).toContain('No Revoked Certificates');
    expect(await crl()).toContain(`Serial Number: ${certificate?.serial.toUpperCase()}`);
    expect(server.certificates()[0]?.revoked).toBe(true);
    expect((await fetch(ocspUrl, { method: 'POST', body: 'x' })).headers.get('content-type')).toBe(
      'application/ocsp-response',
    );
  });
});
