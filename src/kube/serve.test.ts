import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { VirtualClock, settle } from '../../test/support/virtual-clock.ts';
import { createLogger } from '../lib/log.ts';
import { createMetrics } from '../metrics/registry.ts';
import { AddressError, CLOSE_MS, type Listener, listen, parseAddress } from './listen.ts';
import { WorkQueue } from './controller/queue.ts';
import { type HealthOptions, NotReady, noStuckWorker, serveHealth, serveMetrics } from './serve.ts';

const LOOPBACK = '127.0.0.1:0';
const open: Listener[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
});

async function health(options: Partial<HealthOptions> = {}): Promise<number> {
  const listener = await serveHealth({ address: LOOPBACK, livez: {}, readyz: {}, ...options });
  open.push(listener);
  return listener.port;
}

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

function call(port: number, path: string, method = 'GET', send = ''): Promise<Reply> {
  const headers = send === '' ? {} : { 'content-length': send.length };
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    asked.on('error', reject);
    asked.end(send);
  });
}

const fails = (): never => {
  throw new Error('the database password is hunter2');
};

describe('health', () => {
  test('is ok when every check passes', async () => {
    const port = await health({
      livez: { ping: () => undefined },
      readyz: { sync: () => Promise.resolve() },
    });
    for (const path of ['/livez', '/readyz', '/healthz', '/livez/ping', '/readyz/sync', '/livez/'])
      expect(await call(port, path)).toMatchObject({ status: 200, body: 'ok' });
  });

  test('fails when one check fails, and shows which one but not why', async () => {
    const port = await health({
      readyz: { sync: fails, ping: () => undefined, late: () => Promise.reject(new Error('hunter2')) },
    });
    expect(await call(port, '/livez')).toMatchObject({ status: 200 });
    expect(await call(port, '/readyz')).toMatchObject({
      status: 500,
      body: '[-]sync failed\n[+]ping ok\n[-]late failed\nreadyz check failed\n',
    });
    expect(await call(port, '/readyz/ping')).toMatchObject({ status: 200 });
    expect(await call(port, '/readyz/sync')).toMatchObject({ status: 500 });
    expect(await call(port, '/readyz?exclude=sync&exclude=late')).toMatchObject({ status: 200 });
  });

  test('shows why a check fails whose reason is for everybody', async () => {
    const port = await health({
      readyz: {
        crds: () => {
          throw new NotReady('The CRD x is not installed.');
        },
      },
    });
    expect((await call(port, '/readyz')).body).toBe(
      '[-]crds failed: The CRD x is not installed.\nreadyz check failed\n',
    );
  });

  test('has checks that are known only later', async () => {
    let checks = { starting: fails as () => void };
    const port = await health({ readyz: () => checks });
    expect(await call(port, '/readyz')).toMatchObject({ status: 500 });
    checks = { starting: () => undefined };
    expect(await call(port, '/readyz')).toMatchObject({ status: 200 });
  });

  test('lists all checks on request', async () => {
    const port = await health({ livez: { ping: () => undefined } });
    expect((await call(port, '/livez?verbose')).body).toBe('[+]ping ok\nlivez check passed\n');
  });

  test('logs a check when it starts to fail and when it passes again, not at every probe', async () => {
    const lines: string[] = [];
    const log = createLogger({
      level: 'info',
      format: 'json',
      destination: { write: (line) => lines.push(line) },
    });
    let broken = true;
    const port = await health({ log, readyz: { sync: () => (broken ? fails() : undefined) } });
    await call(port, '/readyz');
    await call(port, '/readyz');
    broken = false;
    await call(port, '/readyz');
    await call(port, '/readyz');
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'Health check fails',
      'Health check passes again',
    ]);
  });

  test('fails after the time limit when a check hangs', async () => {
    const clock = new VirtualClock();
    let entered: () => void = () => undefined;
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const hang = (): Promise<void> => {
      entered();
      return new Promise(() => undefined);
    };
    const port = await health({ clock, livez: { hang } });
    const reply = call(port, '/livez');
    await inside;
    await settle();
    await clock.advance(2000);
    expect(await reply).toMatchObject({ status: 500, body: '[-]hang failed\nlivez check failed\n' });
  });

  test('fails when a worker is stuck on a key', async () => {
    const clock = new VirtualClock();
    const queue = new WorkQueue({ clock, name: 'test' });
    const port = await health({ livez: { workers: noStuckWorker(queue, 600_000) } });
    queue.add('a');
    await queue.next();
    await clock.advance(599_999);
    expect((await call(port, '/livez')).status).toBe(200);
    await clock.advance(1);
    expect((await call(port, '/livez')).status).toBe(500);
    queue.done('a');
    expect((await call(port, '/livez')).status).toBe(200);
  });

  test.each([
    '/',
    '/nothing',
    '/livez/unknown',
    '/livez/ping/more',
    '/livez/constructor',
    '/__proto__',
    '/constructor',
    '/metrics',
  ])('%s is not found', async (path) => {
    const port = await health({ livez: { ping: () => undefined } });
    expect((await call(port, path)).status).toBe(404);
  });
});

describe('the listener', () => {
  test('answers HEAD without a body', async () => {
    const port = await health();
    expect(await call(port, '/livez', 'HEAD')).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '2' },
    });
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('refuses %s', async (method) => {
    const port = await health();
    expect(await call(port, '/livez', method)).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD', connection: 'close' },
    });
  });

  test('refuses a body', async () => {
    const port = await health();
    expect(await call(port, '/livez', 'GET', 'x'.repeat(10))).toMatchObject({
      status: 413,
      headers: { connection: 'close' },
    });
  });

  test('refuses huge headers and anything that is not HTTP', async () => {
    const port = await health();
    expect((await call(port, `/livez?${'x'.repeat(20_000)}`)).status).toBe(431);
    const reply = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.end('no http at all\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
    });
    expect(reply).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('answers 500 when the handler fails, and goes on', async () => {
    let broken = true;
    const listener = await listen(LOOPBACK, () => {
      if (broken) throw new Error('hunter2');
      return Promise.resolve({ status: 200, body: 'fine' });
    });
    open.push(listener);
    expect(await call(listener.port, '/')).toMatchObject({ status: 500, body: 'internal error\n' });
    broken = false;
    expect((await call(listener.port, '/')).body).toBe('fine');
  });

  test('is off at the address 0', async () => {
    const listener = await serveMetrics({
      address: '0',
      registry: createMetrics({ process: false }).registry,
    });
    expect(listener.port).toBe(0);
    await expect(listener.close()).resolves.toBeUndefined();
  });

  test.each([
    ['0', undefined],
    [':8081', { port: 8081 }],
    [':0', { port: 0 }],
    ['127.0.0.1:8081', { host: '127.0.0.1', port: 8081 }],
    ['localhost:65535', { host: 'localhost', port: 65_535 }],
    ['[::1]:8081', { host: '::1', port: 8081 }],
  ])('reads the address %s', (address, want) => {
    expect(parseAddress(address)).toEqual(want);
  });

  test.each(['', '8081', 'host', 'host:', ':99999', 'a:b:1', '[::1', 'http://x:1', ':-1'])(
    'refuses the address %j',
    async (address) => {
      await expect(serveHealth({ address, livez: {}, readyz: {} })).rejects.toThrow(AddressError);
    },
  );

  test('rejects when the port is taken', async () => {
    const port = await health();
    await expect(serveHealth({ address: `127.0.0.1:${port}`, livez: {}, readyz: {} })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  test('closes even if a client keeps its connection open', async () => {
    const listener = await serveHealth({ address: LOOPBACK, livez: {}, readyz: {} });
    const socket = connect(listener.port, '127.0.0.1');
    await new Promise<void>((resolve) => {
      socket.once('data', () => resolve());
      socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    });
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
    });
    await listener.close();
    await closed;
    await expect(call(listener.port, '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

test('metrics are served in Prometheus text, and nothing else is', async () => {
  const { registry } = createMetrics({ process: false });
  const listener = await serveMetrics({ address: LOOPBACK, registry });
  open.push(listener);
  const reply = await call(listener.port, '/metrics');
  expect(reply).toMatchObject({
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
  });
  expect(reply.body).toContain('# TYPE tinycert_certificate_issuances_total counter\n');
  expect((await call(listener.port, '/')).status).toBe(404);
});

describe('a listener that closes', () => {
  test('cuts off whoever does not read the answer', async () => {
    const clock = new VirtualClock();
    const body = 'x'.repeat(64 * 2 ** 20);
    const asked = Promise.withResolvers<void>();
    const listener = await listen(
      LOOPBACK,
      async () => {
        asked.resolve();
        return { status: 200, body };
      },
      { clock },
    );
    const reader = connect({ port: listener.port, host: '127.0.0.1' });
    reader.pause();
    const ended = new Promise((resolve) => reader.once('close', resolve));
    reader.on('error', () => undefined);
    reader.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked.promise;
    await settle();

    const closed = listener.close();
    await clock.advance(CLOSE_MS);

    await expect(closed).resolves.toBeUndefined();
    reader.destroy();
    await ended;
  });

  test('is given up while its host is looked up', async () => {
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    await expect(
      listen('localhost:0', async () => ({ status: 200, body: '' }), { signal: stop.signal }),
    ).rejects.toThrow('stopped');
  });
});
