/** Clients and servers that are closed after each test. */
import { afterTest, serve as serveAt } from '../http/test-client.ts';
import { makeTls, reply, type Responder, type TestServer, type TestTls } from '../http/test-server.ts';
import { createCAcertClient } from './client.ts';
import type { CAcertClient, CAcertClientOptions, SignCertificateInput } from './types.ts';

export const credentials = { username: 'someone@example.com', password: 'open sesame!' };

/** A certificate and that of its authority. The client does not look at their keys. */
export const { cert: leaf, ca: authority, key: privateKey } = makeTls('DNS:localhost');

/** Looks like a request, which is all that the client checks. */
export const csr = '-----BEGIN CERTIFICATE REQUEST-----\nMIIB+/+=\n-----END CERTIFICATE REQUEST-----\n';

export const input: SignCertificateInput = { csr, emails: ['someone@example.com'] };

/** A server of the API. */
export function serve(respond: Responder, tls?: TestTls): Promise<TestServer> {
  return serveAt(respond, tls, '/api/');
}

/** A client that ignores the proxy of the environment. */
export function connectTo(endpoint: string, options: Partial<CAcertClientOptions> = {}): CAcertClient {
  const given = { endpoint, credentials, allowLoopbackHttp: true, env: {}, ...options };
  const client = createCAcertClient(given);
  afterTest(() => client.close());
  return client;
}

/** A client, and a server that answers every call with `body` as PHP does. */
export async function answering(
  body: string | Buffer,
): Promise<{ server: TestServer; client: CAcertClient }> {
  const headers = { 'content-type': 'text/html', 'set-cookie': 'cacert=0123456789; path=/' };
  const server = await serve((request) => reply(request, body, { headers }));
  return { server, client: connectTo(server.endpoint) };
}
