import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import type { Secret } from '../../src/kube/objects.ts';
import { fileOf, withFiles } from './files.ts';

const run = promisify(execFile);

/**
 * Connects with a Secret to a server that accepts only certificates under its `ca.crt`. Returns the client's name as the server
 * saw it.
 */
export function mutualHandshake(secret: Secret): Promise<{ protocol: string; client: string }> {
  return withFiles({}, async (cwd) => {
    const site =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
    await run('openssl', [...site.split(' '), '-keyout', 'site.key', '-out', 'site.crt'], { cwd });
    const [key, cert] = [await readFile(join(cwd, 'site.key')), await readFile(join(cwd, 'site.crt'))];
    const options = { key, cert, ca: fileOf(secret, 'ca.crt'), requestCert: true, rejectUnauthorized: true };
    const server = createServer(options);
    const met = Promise.race([
      once(server, 'secureConnection') as Promise<[TLSSocket]>,
      once(server, 'tlsClientError').then(([error]) => Promise.reject(error as Error)),
    ]);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const own = { cert: fileOf(secret, 'tls.crt'), key: fileOf(secret, 'tls.key') };
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: cert, ...own });
    // What counts is the server's view.
    socket.on('error', () => undefined);
    try {
      const [seen] = await met;
      const { CN = '' } = seen.getPeerCertificate().subject;
      return { protocol: seen.getProtocol() ?? '', client: String(CN) };
    } finally {
      socket.destroy();
      server.close();
    }
  });
}
