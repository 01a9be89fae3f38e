/** Clients and servers for one test, closed after it. */
import { afterTest, serve as serveAt } from '../http/test-client.ts';
import { makeTls, reply, type Responder, type TestServer, type TestTls } from '../http/test-server.ts';
import { createCAcertClient } from './client.ts';
import type { CAcertClient, CAcertClientOptions, SignCertificateInput } from './types.ts';

export const credentials = { username: 'someone@example.com', password: 'open sesame!' };

/** A certificate and the one of its authority. What keys they have is nothing to this client. */
export const { cert: leaf, ca: authority, key: privateKey } = makeTls('DNS:localhost');

/** Stands for a request: the client passes on what looks like one. */
export const csr = '-----BEGIN CERTIFICATE REQUEST-----\nMIIB+/+=\n-----END CERTIFICATE REQUEST-----\n';

export const input: SignCertificateInput = { csr, emails: ['someone@example.com'] };

/** A server of the API. */
export function serve(respond: Responder, tls?: TestTls): Promise<TestServer> {
  return serveAt(respond, tls, '/api/');
}

/** A client that takes no proxy from the environment. */
export function connectTo(endpoint: string, options: Partial<CAcertClientOptions> = {}): CAcertClient {
  const given = { endpoint, credentials, allowLoopbackHttp: true, env: {}, ...options };
  const client = createCAcertClient(given);
  afterTest(() => client.close());
  return client;
}

/** A client whose every call is answered with `body`, as PHP sends it. */
export async function answering(
  body: string | Buffer,
): Promise<{ server: TestServer; client: CAcertClient }> {
  const headers = { 'content-type': 'text/html', 'set-cookie': 'cacert=0123456789; path=/' };
  const server = await serve((request) => reply(request, body, { headers }));
  return { server, client: connectTo(server.endpoint) };
}
