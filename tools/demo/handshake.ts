import { createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { Secret } from '../../src/kube/objects.ts';

/** What a client learned from a handshake with a server that uses a Secret. */
export interface Handshake {
  protocol: string;
  subject: string;
  notAfter: Date;
  /** The public key, to see whether it changed. */
  publicKey: string;
}

/** Serves a Secret as an ingress controller would, and connects as a client that trusts only its `ca.crt`. */
export async function handshake(secret: Secret, servername: string): Promise<Handshake> {
  const file = (name: string): Buffer => Buffer.from(secret.data?.[name] ?? '', 'base64');
  const server = createServer({ cert: file('tls.crt'), key: file('tls.key') }, (socket) => socket.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername, ca: file('ca.crt') });
  try {
    await once(socket, 'secureConnect');
    const certificate = new X509Certificate(socket.getPeerCertificate().raw);
    return {
      protocol: socket.getProtocol() ?? '',
      subject: certificate.subject.replaceAll('\n', ', '),
      notAfter: certificate.validToDate,
      publicKey: createPublicKey(certificate.toString()).export({ type: 'spki', format: 'pem' }).toString(),
    };
  } finally {
    socket.destroy();
    server.close();
  }
}
