import { Agent, request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

/** The API server's address and the client's identity. */
export interface KubeAccess {
  server: string;
  caData: string;
  adminCert: string;
  adminKey: string;
}

export interface Answer {
  status: number;
  body: unknown;
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

const MERGE_PATCH = 'application/merge-patch+json';
const PATIENCE_MS = 60_000;

export const CERTIFICATES = '/apis/tinycert-operator.io/v1alpha1';
export const CORE = '/api/v1';

/** The path of an object. */
export function pathOf(base: string, namespace: string, plural: string, name?: string): string {
  return `${base}/namespaces/${namespace}/${plural}${name === undefined ? '' : `/${name}`}`;
}

/** The API server by plain HTTP requests, as an administrator. Shares no code with the operator. */
export class Kube {
  readonly #access: KubeAccess;
  readonly #agent: Agent;

  constructor(access: KubeAccess) {
    this.#access = access;
    const { caData: ca, adminCert: cert, adminKey: key } = access;
    this.#agent = new Agent({ ca, cert, key, keepAlive: true, maxSockets: 8 });
  }

  /** Sends one request, again and again while the API server does not answer or is not ready. */
  async send(method: Method, path: string, body?: unknown): Promise<Answer> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.#once(method, path, body).catch(() => undefined);
      if (answer && answer.status < 500 && answer.status !== 429) return answer;
      if (Date.now() > end)
        throw new Error(`${method} ${path}: ${JSON.stringify(answer?.body ?? 'no answer')}`);
      await pause(100);
    }
  }

  /** As `send`; throws unless the answer is a 2xx or one of these. */
  async must(method: Method, path: string, body?: unknown, also: readonly number[] = []): Promise<Answer> {
    const answer = await this.send(method, path, body);
    if (answer.status < 300 || also.includes(answer.status)) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  close(): void {
    this.#agent.destroy();
  }

  #once(method: Method, path: string, body: unknown): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const type = method === 'PATCH' ? MERGE_PATCH : 'application/json';
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.#access.server),
        {
          method,
          agent: this.#agent,
          timeout: 10_000,
          headers: { 'user-agent': 'chaos', ...(payload === undefined ? {} : { 'content-type': type }) },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('error', reject);
          incoming.once('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({ status: incoming.statusCode ?? 0, body: parsed(text) });
          });
        },
      );
      outgoing.once('timeout', () => outgoing.destroy(new Error('No answer.')));
      outgoing.once('error', reject);
      outgoing.end(payload);
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
