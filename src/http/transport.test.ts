import { connect as connectTcp, createServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { closeAfterEach, connectTo, listen, serve } from './test-client.ts';
import { makeTls, reply, type TestServer } from './test-server.ts';
import type { ClientOptions } from './types.ts';

closeAfterEach();
afterEach(() => vi.unstubAllEnvs());

const tls = makeTls('IP:127.0.0.1,IP:0.0.0.0,DNS:service.test');

describe('the connection', () => {
  test('to a closed port is refused', async () => {
    const nothing = createServer();
    const port = await listen(nothing);
    await new Promise((resolve) => nothing.close(resolve));

    await expect(connectTo(`https://127.0.0.1:${port}/`).post('cert/reissue')).rejects.toMatchObject({
      code: 'ConnectionFailed',
      maybeExecuted: false,
      cause: { code: 'ECONNREFUSED' },
    });
  });

  test('is kept for the next calls', async () => {
    const server = await serve((request) => reply(request, []), tls);
    const client = connectTo(server.endpoint, { ca: tls.ca });
    for (let at = 0; at < 10; at += 1) await client.post('ca/list');

    // undici frees a connection one turn of the event loop after its answer, so a quick next call opens a second one.
    expect(server.bytes.length).toBeLessThanOrEqual(2);
    expect(server.calls).toHaveLength(10);
  });

  test('is not used again if the server keeps it only for a moment', async () => {
    const server = await serve((request) => reply(request, [], { headers: { 'keep-alive': 'timeout=2' } }));
    const client = connectTo(server.endpoint);
    for (let at = 0; at < 3; at += 1) await client.post('ca/list');

    expect(server.bytes.length).toBeGreaterThanOrEqual(3);
  });

  test('is replaced if the server closed it between two calls', async () => {
    const server = await serve((request) => reply(request, []));
    const client = connectTo(server.endpoint);
    await client.post('ca/list');
    const { socket } = server.requests[0]!;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end();
    await closed;

    await client.post('ca/list');

    expect(server.bytes).toHaveLength(2);
  });

  test('is opened for each concurrent call, up to the limit', async () => {
    const server = await serve((request) => setImmediate(() => reply(request, [])));
    const client = connectTo(server.endpoint, { connections: 3 });
    await Promise.all(Array.from({ length: 12 }, () => client.post('ca/list')));

    expect(server.bytes).toHaveLength(3);
  });

  test('speaks HTTP/1.1 only, because an HTTP/2 stream would queue behind the send gate', async () => {
    let offered: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = createServer((socket) => {
      socket.once('data', (hello: Buffer) => {
        offered = ['h2', 'http/1.1'].filter((name) =>
          hello.includes(`${String.fromCharCode(name.length)}${name}`),
        );
        socket.destroy();
        resolve();
      });
    });
    const port = await listen(listener);
    await expect(
      connectTo(`https://127.0.0.1:${port}/`, { ca: tls.ca }).post('ca/list'),
    ).rejects.toMatchObject({ code: 'ConnectionFailed', maybeExecuted: false });
    await promise;

    expect(offered).toEqual(['http/1.1']);
  });
});

describe('the certificate of the server', () => {
  test.each<[string, ClientOptions, string]>([
    ['of an authority that the system does not trust', {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [
      'of another authority than the given one',
      { ca: makeTls('DNS:x').ca },
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
  ])('%s is not trusted, even if the environment turns the check off', async (_name, options, code) => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const server = await serve((request) => reply(request, {}), tls);

    await expect(connectTo(server.endpoint, options).post('cert/reissue')).rejects.toMatchObject({
      code: 'TlsFailure',
      maybeExecuted: false,
      cause: { code },
    });
    expect(server.calls).toEqual([]);
  });

  test('for another name is not trusted', async () => {
    const other = makeTls('DNS:other.example');
    const server = await serve((request) => reply(request, {}), other);

    await expect(connectTo(server.endpoint, { ca: other.ca }).post('ca/list')).rejects.toMatchObject({
      code: 'TlsFailure',
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
  });

  test('is missing if the server speaks plain HTTP', async () => {
    const listener = createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    const port = await listen(listener);

    await expect(connectTo(`https://127.0.0.1:${port}/`).post('ca/list')).rejects.toMatchObject({
      code: 'TlsFailure',
      maybeExecuted: false,
    });
  });
});

describe('a proxy', () => {
  const endpoint = (server: TestServer): string => `https://service.test:${server.port}/api/v1/`;

  test('is asked for a tunnel, with its password, and sees no request', async () => {
    const server = await serve((request) => reply(request, '7'), tls);
    const proxy = await startProxy();
    const HTTPS_PROXY = `http://user:p%40ss@127.0.0.1:${proxy.port}`;
    const client = connectTo(endpoint(server), { ca: tls.ca, env: { HTTPS_PROXY } });
    const gates: string[][] = [];

    expect(await client.post('cert/reissue', { beforeSend: () => gates.push(server.calls) })).toMatchObject({
      text: '7',
    });

    expect(gates).toEqual([[]]);
    expect(new Set(proxy.heads.map((head) => head.split('\r\n')[0]))).toEqual(
      new Set([`CONNECT service.test:${server.port} HTTP/1.1`]),
    );
    expect(proxy.heads[0]).toContain(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
    expect(proxy.relayed()).not.toContain('cert/reissue');
  });

  test('is not used for a host in NO_PROXY', async () => {
    const server = await serve((request) => reply(request, '7'), tls);
    const proxy = await startProxy();
    const HTTPS_PROXY = `http://127.0.0.1:${proxy.port}`;
    // An address of this machine outside of the loopback network, for which a proxy is never used.
    const self = `https://0.0.0.0:${server.port}/api/v1/`;
    const direct = connectTo(self, { ca: tls.ca, env: { HTTPS_PROXY, NO_PROXY: '0.0.0.0/8' } });

    expect(await direct.post('cert/reissue')).toMatchObject({ text: '7' });
    expect(proxy.heads).toEqual([]);

    const indirect = connectTo(self, { ca: tls.ca, env: { HTTPS_PROXY, NO_PROXY: '0.0.0.0:1' } });
    expect(await indirect.post('cert/reissue')).toMatchObject({ text: '7' });
    expect(proxy.heads.length).toBeGreaterThan(0);
  });

  test.each([
    ['refuses', 'HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n'],
    ['closes', ''],
  ])('that %s leaves the call unsent', async (_name, answer) => {
    const server = await serve((request) => reply(request, {}), tls);
    const proxy = await startProxy(answer);
    const HTTPS_PROXY = `http://user:hunter2@127.0.0.1:${proxy.port}`;

    const error: unknown = await connectTo(endpoint(server), { ca: tls.ca, env: { HTTPS_PROXY } })
      .post('cert/reissue')
      .catch((error: unknown) => error);

    expect(error).toMatchObject({ code: 'ConnectionFailed', maybeExecuted: false });
    expect(String((error as Error).stack) + String((error as Error).cause)).not.toContain('hunter2');
    expect(server.bytes).toEqual([]);
  });

  test('does not make the server behind it trusted', async () => {
    const server = await serve((request) => reply(request, {}), makeTls('DNS:other.example'));
    const proxy = await startProxy();
    const HTTPS_PROXY = `127.0.0.1:${proxy.port}`;

    await expect(
      connectTo(endpoint(server), { ca: tls.ca, env: { HTTPS_PROXY } }).post('ca/list'),
    ).rejects.toMatchObject({ code: 'TlsFailure', maybeExecuted: false });
  });

  test('that is reached by TLS must be trusted itself', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const proxy = await serve((request) => reply(request, {}), tls);
    const HTTPS_PROXY = `https://localhost:${proxy.port}`;

    await expect(
      connectTo('https://service.test/', { ca: tls.ca, env: { HTTPS_PROXY } }).post('ca/list'),
    ).rejects.toMatchObject({ code: 'TlsFailure', maybeExecuted: false });
    expect(proxy.bytes).toEqual([]);
  });
});

/** A proxy that resolves any name to this machine. With `answer` it sends that and closes. */
async function startProxy(
  answer?: string,
): Promise<{ port: number; heads: string[]; relayed: () => string }> {
  const heads: string[] = [];
  const relayed: Buffer[] = [];
  const server = createServer((socket) => {
    socket.once('data', (chunk: Buffer) => {
      const head = chunk.toString('latin1');
      heads.push(head);
      if (answer !== undefined) {
        socket.end(answer);
        return;
      }
      const port = Number(/^CONNECT [^:]+:(\d+)/.exec(head)?.[1]);
      const target = connectTcp(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      target.on('error', () => socket.destroy());
      socket.on('close', () => target.destroy());
      socket.on('data', (data: Buffer) => relayed.push(data));
      socket.pipe(target).pipe(socket);
    });
  });
  return { port: await listen(server), heads, relayed: () => Buffer.concat(relayed).toString('latin1') };
}
