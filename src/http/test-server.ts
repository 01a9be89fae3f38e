/** Servers for the tests of the clients. They write HTTP byte by byte, so a test can break it at any point. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';

/** One request as it arrived. */
export interface Received {
  /** The path below the endpoint, such as `cert/new`. */
  call: string;
  head: string;
  body: string;
  form: URLSearchParams;
  socket: Socket;
  /** Number of the connection, from 0 in order of arrival. */
  connection: number;
}

export type Responder = (request: Received) => void;

/** A certificate authority for one test run, and a server certificate that it signed. */
export interface TestTls {
  ca: string;
  key: string;
  cert: string;
}

/** Creates an authority and a certificate for `names` (such as `DNS:localhost`). No file remains. */
export function makeTls(names: string): TestTls {
  const folder = mkdtempSync(join(tmpdir(), 'client-test-'));
  try {
    const request = (name: string, options: string): void => {
      const common = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
      const args = `req ${common} -keyout ${name}.key -out ${name}.pem -subj /CN=${name} ${options}`;
      execFileSync('openssl', args.split(' ').filter(Boolean), { cwd: folder, stdio: 'pipe' });
    };
    request('ca', '');
    const leaf = `-addext subjectAltName=${names} -addext basicConstraints=critical,CA:FALSE`;
    request('leaf', `-CA ca.pem -CAkey ca.key ${leaf}`);
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    return { ca: read('ca.pem'), key: read('leaf.key'), cert: read('leaf.pem') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A server on loopback. `respond` writes its answers to the socket. */
export class TestServer {
  readonly requests: Received[] = [];
  /** The number of decrypted bytes that arrived, by connection. */
  readonly bytes: number[] = [];
  respond: Responder;
  readonly #server: Server;
  readonly #tls: boolean;
  readonly #basePath: string;
  readonly #sockets = new Set<Socket>();
  #waiting: { count: number; resolve: () => void }[] = [];

  private constructor(respond: Responder, tls: TestTls | undefined, basePath: string) {
    this.respond = respond;
    this.#basePath = basePath;
    this.#tls = tls !== undefined;
    const accept = (socket: Socket): void => this.#accept(socket);
    this.#server = tls ? createTlsServer({ key: tls.key, cert: tls.cert }, accept) : createTcpServer(accept);
  }

  static async start(respond: Responder, tls?: TestTls, basePath = '/api/v1/'): Promise<TestServer> {
    const server = new TestServer(respond, tls, basePath);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `${this.#tls ? 'https' : 'http'}://127.0.0.1:${this.port}${this.#basePath}`;
  }

  /** The calls that arrived, in order. */
  get calls(): string[] {
    return this.requests.map(({ call }) => call);
  }

  /** Resolves once `count` requests have arrived in all. */
  async arrival(count: number): Promise<void> {
    if (this.requests.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    const connection = this.bytes.push(0) - 1;
    this.#sockets.add(socket);
    let text = '';
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      this.bytes[connection] = (this.bytes[connection] ?? 0) + chunk.length;
      text += chunk.toString('latin1');
      for (let request = takeRequest(text); request; request = takeRequest(text)) {
        text = text.slice(request.length);
        const call = request.path.startsWith(this.#basePath)
          ? request.path.slice(this.#basePath.length)
          : request.path;
        const form = new URLSearchParams(request.body);
        const received = { ...request, call, form, socket, connection };
        this.requests.push(received);
        this.#waiting = this.#waiting.filter(({ count, resolve }) => {
          if (this.requests.length >= count) resolve();
          return this.requests.length < count;
        });
        this.respond(received);
      }
    });
  }
}

function takeRequest(text: string): { head: string; body: string; path: string; length: number } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const size = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const length = end + 4 + size;
  if (text.length < length) return undefined;
  const path = /^\S+ (\S*)/.exec(head)?.[1] ?? '';
  return { head, body: text.slice(end + 4, length), path, length };
}

/** Writes a whole reply. A body that is neither text nor bytes is sent as JSON. */
export function reply(
  { socket }: Pick<Received, 'socket'>,
  body: unknown,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): void {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const lines = Object.entries({ 'content-length': String(bytes.length), ...headers });
  const head = [`HTTP/1.1 ${status} x`, ...lines.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
  socket.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes]));
}
