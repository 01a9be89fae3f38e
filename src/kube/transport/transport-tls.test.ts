import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listen, type LocalServer } from '../../../test/support/kube/kube-socket.ts';
import { makeCa, type Pair, type ThrowawayCa } from '../../../test/support/x509/throwaway-ca.ts';
import { failureOf } from '../../../test/support/kube/transport-setup.ts';
import { settle, VirtualClock } from '../../../test/support/virtual-clock.ts';
import { type Credentials, openConnection } from '../config/connection.ts';
import { Transport } from './transport.ts';

let folder: string;
let oldCa: ThrowawayCa;
let newCa: ThrowawayCa;
let oldPair: Pair;
let newPair: Pair;
let clientPair: Pair;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'transport-tls-'));
  oldCa = await makeCa(folder, 'old');
  newCa = await makeCa(folder, 'new');
  [oldPair, newPair, clientPair] = [
    await oldCa.issue('server'),
    await newCa.issue('server'),
    await oldCa.issue('client'),
  ];
});
afterAll(() => rm(folder, { recursive: true }));

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Setup {
  transport: Transport;
  clock: VirtualClock;
  /** What the next reload of the credentials returns. */
  files: { tls: Credentials['tls'] };
}

async function setUp(server: LocalServer, tls: Credentials['tls'], proxyUrl?: string): Promise<Setup> {
  cleanups.push(() => server.close());
  const clock = new VirtualClock();
  const files = { tls };
  const connection = await openConnection({
    server: server.url,
    proxyUrl,
    clock,
    load: async () => ({ tls: files.tls }),
  });
  const transport = new Transport({ connection, clock, userAgent: 'tests/1' });
  cleanups.push(() => transport.close());
  return { transport, clock, files };
}

const GET = { method: 'GET', path: '/' } as const;

test('the transport speaks HTTP/1.1 to a server that prefers HTTP/2', async () => {
  const server = createSecureServer({ ...oldPair, allowHTTP1: true }, (request, response) => {
    response.end(
      JSON.stringify({ version: request.httpVersion, alpn: (request.socket as TLSSocket).alpnProtocol }),
    );
  });
  const { transport } = await setUp(await listen(server, 'https'), { ca: oldCa.cert });
  const chunks: Buffer[] = [];

  expect(await transport.request(GET)).toEqual({ version: '1.1', alpn: 'http/1.1' });
  await transport.stream({ ...GET, idleMs: 1000 }, (chunk) => chunks.push(chunk));
  expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({ version: '1.1', alpn: 'http/1.1' });
});

test('the transport presents the client certificate', async () => {
  const server = createServer(
    { ...oldPair, ca: oldCa.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      response.end(JSON.stringify((request.socket as TLSSocket).getPeerCertificate().subject));
    },
  );
  const { transport } = await setUp(await listen(server, 'https'), { ca: oldCa.cert, ...clientPair });

  expect(await transport.request(GET)).toEqual({ CN: 'client' });
});

test('the transport uses the proxy of the kubeconfig, checks the server all the same and speaks HTTP/1.1', async () => {
  const tunnelled: (string | undefined)[] = [];
  const proxy = createHttpServer();
  proxy.on('connect', (request: IncomingMessage, client: Socket) => {
    tunnelled.push(request.url);
    const upstream = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  const { url: proxyUrl, ...listening } = await listen(proxy, 'http');
  cleanups.push(() => listening.close());
  const server = createSecureServer({ ...oldPair, allowHTTP1: true }, (request, response) => {
    response.end(JSON.stringify({ version: request.httpVersion }));
  });
  const target = await listen(server, 'https');
  const { transport } = await setUp(target, { ca: oldCa.cert }, proxyUrl);
  const { transport: distrustful } = await setUp(target, { ca: newCa.cert }, proxyUrl);

  expect(await transport.request(GET)).toEqual({ version: '1.1' });
  expect(tunnelled).toEqual([new URL(target.url).host]);
  expect(await failureOf(distrustful.request(GET))).toMatchObject({ reason: 'ConnectionFailed' });
});

describe('a server certificate', () => {
  const answer = (_request: unknown, response: ServerResponse): void => void response.end('{}');

  test.each<[string, () => Credentials['tls'], string]>([
    ['of an authority that is not trusted', () => ({ ca: newCa.cert }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [
      'for another name',
      () => ({ ca: oldCa.cert, servername: 'elsewhere.example' }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('%s is refused', async (_name, tls, system) => {
    const { transport } = await setUp(await listen(createServer(oldPair, answer), 'https'), tls());

    expect(await failureOf(transport.request(GET))).toMatchObject({ reason: 'ConnectionFailed', system });
  });

  test.each<[string, () => Credentials['tls']]>([
    [
      'is checked against the server name in the kubeconfig',
      () => ({ ca: oldCa.cert, servername: 'localhost' }),
    ],
    ['is not checked if the kubeconfig switches the check off', () => ({ rejectUnauthorized: false })],
  ])('%s', async (_name, tls) => {
    const { transport } = await setUp(await listen(createServer(oldPair, answer), 'https'), tls());

    expect(await transport.request(GET)).toEqual({});
  });
});

describe('a new CA file', () => {
  test('takes effect for new connections within a minute, while an open stream goes on', async () => {
    let stream: ServerResponse | undefined;
    const ports: unknown[] = [];
    const seen: string[] = [];
    const server = createServer(oldPair, (request, response) => {
      if (request.url === '/watch') {
        stream = response;
        response.write('one\n');
      } else {
        ports.push(request.socket.remotePort);
        response.end('{}');
      }
    });
    const { transport, clock, files } = await setUp(await listen(server, 'https'), { ca: oldCa.cert });
    const watch = transport.stream({ ...GET, path: '/watch', idleMs: 1e6, deadlineMs: 1e6 }, (chunk) =>
      seen.push(chunk.toString()),
    );
    while (seen.length === 0) await settle();
    await transport.request(GET);
    await transport.request(GET);
    const before = new Set(ports);

    server.setSecureContext(newPair);
    files.tls = { ca: newCa.cert };
    await clock.advance(60_000);

    await transport.request(GET);
    expect(before).not.toContain(ports.at(-1));
    stream?.end('two\n');
    await watch;
    expect(seen.join('')).toBe('one\ntwo\n');
  });

  test('is loaded at once when the server is no longer trusted', async () => {
    const server = createServer(oldPair, (_request, response) => response.end('{}'));
    const { transport, clock, files } = await setUp(await listen(server, 'https'), { ca: newCa.cert });
    await clock.advance(2000);

    files.tls = { ca: oldCa.cert };
    expect(await failureOf(transport.request(GET))).toMatchObject({ reason: 'ConnectionFailed' });

    expect(await transport.request(GET)).toEqual({});
  });
});
