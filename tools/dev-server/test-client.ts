/** A minimal client for the tests: it sends the given bytes and returns whatever comes back. */
import { createHmac } from 'node:crypto';
import { type IncomingHttpHeaders, type RequestOptions, request as httpRequest } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import type { DevServer } from './types.ts';

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The parsed body; undefined if it is no JSON. */
  json: unknown;
}

export interface RawRequest {
  method?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  agent?: Agent;
}

/** Sends these bytes to a path under the endpoint. Rejects if the connection breaks. */
export function send(
  server: DevServer,
  path: string,
  body: string,
  options: RawRequest = {},
): Promise<Reply> {
  const url = new URL(path, server.endpoint);
  const { method = 'POST', signal, agent } = options;
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...options.headers };
  const request: RequestOptions = { method, headers, ...(signal && { signal }) };
  return new Promise((resolve, reject) => {
    const outgoing =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...request, ca: server.caPem, agent: agent ?? false })
        : httpRequest(url, request);
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (piece: string) => {
        text += piece;
      });
      incoming.on('error', reject);
      incoming.on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json: parsed(text) });
      });
    });
    outgoing.end(method === 'GET' ? undefined : body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The body with the digest of its bytes. */
export function signedBody(query: string, apiKey: string): string {
  return `${query}&digest=${createHmac('sha256', apiKey).update(query).digest('hex')}`;
}

/** A client with a session. */
export class TestClient {
  readonly server: DevServer;
  token = '';

  constructor(server: DevServer) {
    this.server = server;
  }

  static async connected(server: DevServer): Promise<TestClient> {
    const client = new TestClient(server);
    await client.connect();
    return client;
  }

  async connect(credentials: { email?: string; passphrase?: string; apiKey?: string } = {}): Promise<Reply> {
    const { email = this.server.email, passphrase = this.server.passphrase } = credentials;
    const query = encoded({ email, passphrase });
    const reply = await send(
      this.server,
      'connect',
      signedBody(query, credentials.apiKey ?? this.server.apiKey),
    );
    const { token } = (reply.json ?? {}) as { token?: string };
    this.token = token ?? this.token;
    return reply;
  }

  call(name: string, params: Record<string, string | number> = {}, options: RawRequest = {}): Promise<Reply> {
    const query = encoded({ ...params, token: this.token });
    return send(this.server, name, signedBody(query, this.server.apiKey), options);
  }

  /** The id of a new certificate of the built-in account's first authority. */
  async issue(params: Record<string, string | number> = {}): Promise<number> {
    const reply = await this.call('cert/new', {
      C: 'US',
      CN: 'www.example.com',
      O: 'ACME, Inc.',
      'SANs[0][DNS]': 'www.example.com',
      ca_id: this.server.authorityId,
      ...params,
    });
    return (reply.json as { cert_id: number }).cert_id;
  }

  /** One PEM of `cert/get`. */
  async pem(id: number, what: string): Promise<string> {
    const reply = await this.call('cert/get', { cert_id: id, what });
    return (reply.json as { pem: string }).pem;
  }

  async status(id: number): Promise<string> {
    const reply = await this.call('cert/details', { cert_id: id });
    return (reply.json as { status: string }).status;
  }

  async list(what: number): Promise<{ id: number; name: string; status: string; expires: number }[]> {
    const reply = await this.call('cert/list', { ca_id: this.server.authorityId, what });
    return reply.json as { id: number; name: string; status: string; expires: number }[];
  }
}

function encoded(params: Record<string, string | number>): string {
  const pairs = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  return new URLSearchParams(
    pairs.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
}
