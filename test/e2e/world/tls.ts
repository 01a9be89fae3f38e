import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:tls';

/** Where a server is and which name it is asked for, by clients that trust this CA only. */
export interface Target {
  address: string;
  port: number;
  host: string;
  ca: string;
}

const LIMIT_MS = 5000;

/** One full handshake on a connection of its own. Rejects if the certificate is not valid for the host under the CA. */
export async function handshake({ address, port, host, ca }: Target): Promise<X509Certificate> {
  const socket = connect({ host: address, port, servername: host, ca, timeout: LIMIT_MS });
  socket.once('timeout', () => socket.destroy(new Error(`no answer within ${LIMIT_MS / 1000} s`)));
  try {
    await once(socket, 'secureConnect');
    return new X509Certificate(socket.getPeerCertificate().raw);
  } finally {
    socket.destroy();
  }
}

/** The status and body of a GET. */
export function get({ address, port, host, ca }: Target): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, servername: host, ca, agent: false, path: '/', headers: { host } };
    const outgoing = request({ ...options, timeout: LIMIT_MS }, (incoming) => {
      let body = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => (body += chunk));
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body }));
      incoming.once('error', reject);
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.once('error', reject);
    outgoing.end();
  });
}
