/** Start, stop, and the options of the start. */
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { request } from 'node:https';
import { afterEach, expect, test } from 'vitest';
import { createTlsAuthority, serverIdentity } from './http/tls.ts';
import { startDevServer } from './index.ts';
import { TestClient } from './test-client.ts';
import type { DevServer, DevServerOptions } from './types.ts';

const running: DevServer[] = [];

async function start(options: DevServerOptions = {}): Promise<DevServer> {
  const server = await startDevServer(options);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

test('the endpoint’s certificate is valid for 127.0.0.1 and localhost, under the CA of the file', async () => {
  const server = await start();
  for (const host of ['127.0.0.1', 'localhost']) {
    const url = server.endpoint.replace('127.0.0.1', host);
    const status = await new Promise((resolve, reject) => {
      const outgoing = request(`${url}ca/list`, { ca: server.caPem, agent: false, family: 4 }, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
    expect(status).toBe(400);
  }
  const ca = new X509Certificate(server.caPem);
  expect(ca.ca).toBe(true);
  expect(ca.verify(ca.publicKey)).toBe(true);
});

test('the certificate of a server at another address is valid for it too', async () => {
  const now = Math.floor(Date.now() / 1000);
  const { cert } = await serverIdentity(await createTlsAuthority(now), now, '192.0.2.9');
  const certificate = new X509Certificate(cert);
  expect(['192.0.2.9', '127.0.0.1', '192.0.2.1'].map((ip) => certificate.checkIP(ip))).toEqual([
    '192.0.2.9',
    '127.0.0.1',
    undefined,
  ]);
});

test('plain HTTP needs no CA', async () => {
  const server = await start({ protocol: 'http' });
  expect([server.endpoint.slice(0, 17), server.caFile, server.caPem]).toEqual(['http://127.0.0.1:', '', '']);
  const client = await TestClient.connected(server);
  expect((await client.call('ca/list')).status).toBe(200);
});

test('a stop ends hanging calls, refuses new ones, and removes its files', async () => {
  const server = await start();
  const client = await TestClient.connected(server);
  server.addFault({ call: 'ca/list', kind: 'hang' });
  server.addFault({ call: 'ca/details', kind: 'hold' });
  server.addFault({ call: 'ca/get', kind: 'delay', ms: 3_600_000 });
  const calls = ['ca/list', 'ca/details', 'ca/get'].map((call) =>
    client.call(call, { ca_id: server.authorityId }),
  );
  const outcomes = Promise.allSettled(calls);
  for (const call of ['ca/list', 'ca/details', 'ca/get']) {
    await server.waitForCall((entry) => entry.call === call);
  }
  await Promise.all([server.stop(), server.stop()]);
  expect((await outcomes).map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(existsSync(server.caFile)).toBe(false);
  await expect(client.call('ca/list')).rejects.toThrow(/ECONNREFUSED/);
  await expect(fetch(`${server.controlUrl}/stats`)).rejects.toThrow(/fetch failed/);
});

test('a port in use is an error, and nothing stays open', async () => {
  const first = await start();
  const port = Number(new URL(first.endpoint).port);
  await expect(startDevServer({ port })).rejects.toThrow(/EADDRINUSE/);
  await first.stop();
  const second = await start({ port });
  expect(second.endpoint).toBe(first.endpoint);
});

test('an invalid option is refused', async () => {
  await expect(startDevServer({ validity: '10ms' })).rejects.toThrow(RangeError);
});

test('authorities are made as given, in order, with their lifetime', async () => {
  const server = await start({
    authorities: [
      { organization: 'ACME, Inc.', country: 'US' },
      { organization: 'Zweite', country: 'DE', locality: 'Köln', hashMethod: 'sha1' },
    ],
    caValidity: '10d',
  });
  const own = server.authorities().filter((authority) => authority.account === server.email);
  expect(own.map((authority) => [authority.name, authority.hashMethod])).toEqual([
    ['ACME, Inc.', 'sha256'],
    ['Zweite', 'sha1'],
  ]);
  expect(server.authorityId).toBe(own[0]?.id);
  expect((own[0]?.notAfter ?? 0) - (own[0]?.notBefore ?? 0)).toBe(864_000);
});

test.each([
  ['no pool', {}, 4],
  ['a pool', { keyPool: 2 }, 4],
  ['a pool used again and again', { keyPool: 2, keyPoolReuse: true }, 2],
])('with %s four certificates have the right number of keys', async (_, options, want) => {
  const server = await start(options);
  const keys = new Set<string>();
  for (let i = 0; i < 4; i += 1) {
    keys.add((await server.issueByHand({ cn: `h${i}.example` })).keyFingerprint);
  }
  expect(keys.size).toBe(want);
});

test('a latency passes before the call acts', async () => {
  const server = await start({ latency: { min: 30, max: '40ms' } });
  const client = await TestClient.connected(server);
  await client.issue();
  const [connect, issue] = server.journal();
  expect((connect?.endedAt ?? 0) - (connect?.at ?? 0)).toBeGreaterThanOrEqual(25);
  expect((issue?.endedAt ?? 0) - (issue?.at ?? 0)).toBeGreaterThanOrEqual(25);
});

test('a session that ends while a call waits at a hold does not undo the admission', async () => {
  const server = await start();
  const client = await TestClient.connected(server);
  server.addFault({ call: 'ca/list', kind: 'hold' });
  const reply = client.call('ca/list');
  await server.waitForCall((entry) => entry.held === true);
  server.expireSessions();
  server.release();
  expect((await reply).status).toBe(200);
  expect((await client.call('ca/list')).json).toMatchObject({ code: 'InvalidToken' });
});

test('faults can be present from the start', async () => {
  const server = await start({ faults: [{ call: 'connect', kind: 'error', code: 'AccountError' }] });
  const client = new TestClient(server);
  expect((await client.connect()).status).toBe(500);
  expect((await client.connect()).status).toBe(200);
});
