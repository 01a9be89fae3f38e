import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkServerIdentity, connect, createServer } from 'node:tls';
import { promisify } from 'node:util';
import type { Secret } from '../../../src/kube/objects.ts';

const run = promisify(execFile);

/** The files of a TLS Secret, as in a pod that mounts it. */
export function filesOf({ data = {} }: Secret): { crt: string; key: string; ca: string } {
  const text = (name: string): string => Buffer.from(data[name] ?? '', 'base64').toString('utf8');
  return { crt: text('tls.crt'), key: text('tls.key'), ca: text('ca.crt') };
}

/** The result of `openssl verify` for a Secret's certificate with its `ca.crt`. */
export async function opensslVerify(secret: Secret): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'verify-'));
  try {
    const { crt, ca } = filesOf(secret);
    await Promise.all([writeFile(join(folder, 'tls.crt'), crt), writeFile(join(folder, 'ca.crt'), ca)]);
    const { stdout } = await run('openssl', ['verify', '-CAfile', 'ca.crt', 'tls.crt'], { cwd: folder });
    return stdout.trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Serves TLS with a Secret's files and connects to it as `host`, trusting only its `ca.crt`. Rejects if that fails. */
export async function handshake(secret: Secret, host: string): Promise<{ authorized: boolean }> {
  const { crt, key, ca } = filesOf(secret);
  const server = createServer({ cert: crt, key }, (socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await new Promise((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
        ca,
        checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
      });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        resolve({ authorized: socket.authorized });
        socket.destroy();
      });
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
