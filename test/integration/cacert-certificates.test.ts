/** Keys and requests made by the operator, signed by the CAcert dev server, and used by other programs. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificate, readBundle, readCertificate } from '../../src/x509/certificate.ts';
import { verifyChain } from '../../src/x509/chain.ts';
import { generateRsaKey } from '../../src/x509/generate-rsa-key.ts';
import type { PrivateKey } from '../../src/x509/private-key.ts';
import { createSigningRequest, verifySigningRequest } from '../../src/x509/signing-request.ts';
import { type CAcertServer, startCAcertServer } from '../../tools/dev-server/index.ts';
import { makeCa, type Pair } from '../support/x509/throwaway-ca.ts';

const run = promisify(execFile);
const never = new AbortController().signal;

let server: CAcertServer;
let folder: string;
let site: Pair & { ca: string };

beforeAll(async () => {
  server = await startCAcertServer({ protocol: 'http' });
  folder = await mkdtemp(join(tmpdir(), 'cacert-'));
  const ca = await makeCa(folder, 'site');
  site = { ...(await ca.issue('site')), ca: ca.cert };
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Sends a request for this key to `ccsr.php` and returns the certificate. */
async function issue(key: PrivateKey): Promise<Certificate> {
  const csr = await createSigningRequest({
    key,
    commonName: 'Dev Example',
    emailAddresses: [server.username],
  });
  expect(verifySigningRequest(csr).equals(key.toPublicKey())).toBe(true);
  const form = new URLSearchParams({
    username: server.username,
    password: server.password,
    name: 'Dev Example',
    'email[0]': server.username,
    optionalCSR: csr,
  });
  const response = await fetch(`${server.endpoint}ccsr.php`, { method: 'POST', body: form });
  const text = await response.text();
  expect(text).toMatch(/^200,Authentication Ok\n/);
  return readCertificate(text);
}

/**
 * Connects with a client certificate to a site that requires one under CAcert's roots. Returns the client's name as the site
 * saw it.
 */
async function clientSeen(cert: string, key: string): Promise<{ cn: unknown; authorized: boolean }> {
  const options = { cert: site.cert, key: site.key, ca: server.caPem, requestCert: true };
  const listener = createServer(options);
  const seen = new Promise<TLSSocket>((resolve, reject) => {
    listener.once('secureConnection', resolve);
    listener.once('tlsClientError', reject);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, ca: site.ca, cert, key });
  const failed = new Promise<never>((_, reject) => client.once('error', reject));
  try {
    const socket = await Promise.race([seen, failed]);
    return { cn: socket.getPeerCertificate().subject.CN, authorized: socket.authorized };
  } finally {
    client.destroy();
    await new Promise((resolve) => listener.close(resolve));
  }
}

/** Signs a message with OpenSSL as a mail program does, and verifies it with only the root. Returns the verified message. */
async function mailed(
  [leaf, ...others]: readonly [Certificate, ...Certificate[]],
  key: string,
  message: string,
): Promise<string> {
  const files = {
    'leaf.crt': leaf.pem,
    'others.crt': others.map(({ pem }) => pem).join(''),
    'leaf.key': key,
    'root.crt': server.ca.rootPem,
    message,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const sign = '-sign -text -in message -signer leaf.crt -inkey leaf.key -out signed.eml';
  const chain = others.length > 0 ? ['-certfile', 'others.crt'] : [];
  await run('openssl', ['cms', ...sign.split(' '), ...chain], { cwd: folder });
  const verify = '-verify -text -in signed.eml -CAfile root.crt -purpose smimesign';
  const { stdout } = await run('openssl', ['cms', ...verify.split(' ')], { cwd: folder });
  return stdout.replaceAll('\r\n', '\n');
}

describe.each([
  ['class 1', false],
  ['class 3', true],
] as const)('a key made here and signed by %s', (_, class3) => {
  test.each([2048, 3072, 4096] as const)(
    'opens a mutual TLS connection and signs mail, with %i bits',
    async (bits) => {
      await server.setOptions({ class3 });
      const key = await generateRsaKey(bits, never);
      const leaf = await issue(key);
      const [root, intermediate] = readBundle(server.caPem);
      if (!root || !intermediate) throw new Error('The server has two authorities.');
      const chain: [Certificate, ...Certificate[]] = [leaf, ...(class3 ? [intermediate] : [])];
      const pem = chain.map((certificate) => certificate.pem).join('');

      expect(key.matches(leaf)).toBe(true);
      expect(leaf.names).toMatchObject({ commonName: 'Dev Example', email: [server.username] });
      expect(leaf.serialNumber).toBe(server.certificates().at(-1)?.serial);
      expect(leaf.publicKeyFingerprint).toBe(server.certificates().at(-1)?.keyFingerprint);
      expect(verifyChain(leaf, chain.slice(1), root)).toMatchObject({ ok: true });
      expect(await clientSeen(pem, key.toPkcs8())).toEqual({ cn: 'Dev Example', authorized: true });
      expect(await mailed(chain, key.toPkcs8(), 'Hello\n')).toBe('Hello\n');
    },
  );
});
