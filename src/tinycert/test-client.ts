/** Clients and servers that are closed after each test. */
import { afterTest, serve as serveAll } from '../http/test-client.ts';
import { type Received, reply, type Responder, type TestServer, type TestTls } from '../http/test-server.ts';
import { createTinyCertClient } from './client.ts';
import type { TinyCertClient, TinyCertClientOptions } from './types.ts';

/** A server that answers logins and leaves the other calls to `respond`. */
export function serve(respond: Responder, tls?: TestTls): Promise<TestServer> {
  return serveAll(withLogin(respond), tls);
}

/** A client that ignores the proxy of the environment. */
export function connectTo(endpoint: string, options: Partial<TinyCertClientOptions> = {}): TinyCertClient {
  const client = createTinyCertClient({
    endpoint,
    credentials,
    allowLoopbackHttp: true,
    env: {},
    ...options,
  });
  afterTest(() => client.close());
  return client;
}

/** A client, and a server that answers every call except logins with `body`. */
export async function answering(body: unknown): Promise<{ server: TestServer; client: TinyCertClient }> {
  const server = await serve((request) => reply(request, body));
  return { server, client: connectTo(server.endpoint) };
}

/** Writes an error reply as TinyCert does. */
export function refuse(request: Pick<Received, 'socket'>, status: number, code: string, text = ''): void {
  reply(request, { code, text }, { status });
}

/** Answers logins with `token-1`, `token-2` and so on. `respond` answers the other calls. */
export function withLogin(respond: Responder): Responder {
  let logins = 0;
  return (request) => {
    if (request.call !== 'connect') respond(request);
    else {
      logins += 1;
      reply(request, { token: `token-${logins}` });
    }
  };
}

export const credentials = {
  email: 'someone@example.com',
  passphrase: 'open sesame!',
  apiKey: 'key-of-the-api',
};
