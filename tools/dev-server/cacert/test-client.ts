/** A minimal client for the tests: it sends the given bytes and returns whatever comes back. */
import { execFileSync } from 'node:child_process';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { X509Certificate } from 'node:crypto';
import type { CAcertServer } from './types.ts';

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** Each character is a byte. */
  text: string;
}

export interface RawRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  signal?: AbortSignal;
}

/** Sends these bytes to a path under the endpoint. Rejects if the connection breaks. */
export function send(server: CAcertServer, path: string, options: RawRequest = {}): Promise<Reply> {
  const url = new URL(path, server.endpoint);
  const { method = 'POST', headers = {}, body = '', signal } = options;
  const init = { method, headers, agent: false, ...(signal && { signal }) };
  return new Promise((resolve, reject) => {
    const outgoing =
      url.protocol === 'https:' ? httpsRequest(url, { ...init, ca: server.caPem }) : httpRequest(url, init);
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const pieces: Buffer[] = [];
      incoming.on('data', (piece: Buffer) => pieces.push(piece));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const received = Buffer.concat(pieces);
        const { statusCode: status = 0, headers } = incoming;
        resolve({ status, headers, body: received, text: received.toString('latin1') });
      });
    });
    outgoing.end(method === 'GET' ? undefined : body);
  });
}

export type Params = [name: string, value: string][];

/** Calls a script with a urlencoded form and the first member's credentials. */
export function call(
  server: CAcertServer,
  script: 'ccsr' | 'cemails',
  params: Params = [],
  options: RawRequest = {},
): Promise<Reply> {
  const all: Params = [['username', server.username], ['password', server.password], ...params];
  return send(server, `${script}.php`, {
    ...options,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...options.headers },
    body: new URLSearchParams(all).toString(),
  });
}

/** Requests a certificate for the first member's first address, unless the parameters have another. */
export function ask(
  server: CAcertServer,
  csr: string,
  params: Params = [],
  options: RawRequest = {},
): Promise<Reply> {
  const emails: Params = params.some(([name]) => name.startsWith('email'))
    ? []
    : [['email[0]', server.username]];
  return call(server, 'ccsr', [...emails, ['optionalCSR', csr], ...params], options);
}

/** The certificate in a reply with 200. */
export function certificateIn(reply: Reply): X509Certificate {
  return new X509Certificate(pemIn(reply));
}

export function pemIn(reply: Reply): string {
  const [status, ...lines] = reply.text.split('\n');
  if (status !== '200,Authentication Ok') throw new Error(`Not issued: ${reply.text.slice(0, 200)}`);
  return lines.join('\n');
}

/** The output of the openssl program for this input. */
export function openssl(args: readonly string[], input = ''): string {
  return execFileSync('openssl', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A request by the openssl program for a new key. `kind` is as for `req -newkey`. */
export function opensslRequest(kind: string, ...options: string[]): string {
  const key = ['-newkey', kind, ...options.flatMap((option) => ['-pkeyopt', option])];
  return openssl(['req', '-new', ...key, '-noenc', '-keyout', '/dev/null', '-subj', '/CN=ignored']);
}
