import { request } from 'node:https';

/** The API server's address and the client's identity. */
export interface ApiEndpoint {
  server: string;
  /** PEM. */
  caData: string;
  cert: string;
  key: string;
}

export interface ApiReply {
  status: number;
  body: string;
}

/** One request on a connection of its own. Rejects on a transport fault or after `timeoutMs`. */
export function apiRequest(
  endpoint: ApiEndpoint,
  method: string,
  path: string,
  options: { body?: unknown; timeoutMs?: number; signal?: AbortSignal | undefined } = {},
): Promise<ApiReply> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 10_000);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  const payload = options.body === undefined ? undefined : JSON.stringify(options.body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, endpoint.server),
      {
        method,
        agent: false,
        ca: endpoint.caData,
        cert: endpoint.cert,
        key: endpoint.key,
        signal,
        headers: {
          accept: 'application/json',
          'user-agent': 'tinycert-control-plane',
          ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('error', reject);
        incoming.once('end', () => {
          resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
        });
      },
    );
    outgoing.once('error', reject);
    outgoing.end(payload);
  });
}
