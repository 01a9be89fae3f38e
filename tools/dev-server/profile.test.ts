/** The certificates match decoded ones of the real service. */
import { execFileSync } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDevServer } from './index.ts';
import { TestClient } from './test-client.ts';
import type { DevServer } from './types.ts';

const NOW = Date.UTC(2026, 5, 1, 12, 0, 0);
const DAY = 86_400_000;

let server: DevServer;
let client: TestClient;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dev-server-profile-'));
  server = await startDevServer({ email: 'owner@example.com', now: () => NOW, sessionTtl: '1d' });
  client = await TestClient.connected(server);
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The lines of an extension in openssl's output. */
function extensionText(text: string, name: string): string {
  return (
    new RegExp(`${name}: ?(.*\\n.*)`)
      .exec(text)?.[1]
      ?.replaceAll(/\s*\n\s*/g, ' ')
      .trim() ?? 'absent'
  );
}

async function caPem(): Promise<string> {
  const reply = await client.call('ca/get', { ca_id: server.authorityId, what: 'cert' });
  return (reply.json as { pem: string }).pem;
}

describe('the authority', () => {
  test('has serial 0, ten years, the usual unit and critical usages', async () => {
    const text = openssl(
      'x509',
      '-noout',
      '-text',
      '-nameopt',
      'RFC2253',
      '-in',
      file('ca.pem', await caPem()),
    );
    expect(text).toContain('Serial Number: 0 (0x0)');
    expect(text).toContain(
      'Subject: CN=Example Org CA,OU=Secure Digital Certificate Signing,O=Example Org,C=US',
    );
    expect(text).toContain('Public-Key: (2048 bit)');
    expect(text).toContain('Exponent: 65537');
    expect(text).toContain('Signature Algorithm: sha256WithRSAEncryption');
    expect(extensionText(text, 'Basic Constraints')).toBe('critical CA:TRUE');
    expect(extensionText(text, 'Key Usage')).toBe(
      'critical Digital Signature, Key Encipherment, Key Agreement, Certificate Sign, CRL Sign',
    );
    expect(extensionText(text, 'Subject Alternative Name')).toBe('email:owner@example.com');
    expect(extensionText(text, 'Issuer Alternative Name')).toBe('email:owner@example.com');
    expect(extensionText(text, 'Extended Key Usage')).toBe('absent');
    expect(extensionText(text, 'Authority Information Access')).toBe('absent');
    const { validFromDate, validToDate } = new X509Certificate(await caPem());
    expect(validFromDate.getTime()).toBe(NOW);
    expect(validToDate.getTime()).toBe(NOW + 3650 * DAY);
  });

  test('has locality, province and SHA-1 if requested', async () => {
    const params = { C: 'NL', L: 'Maastricht', O: 'Æ & Söhne', ST: 'Limburg', hash_method: 'sha1' };
    const made = await client.call('ca/new', params);
    const { ca_id: id } = made.json as { ca_id: number };
    const reply = await client.call('ca/get', { ca_id: id, what: 'cert' });
    const ca = file('sha1.pem', (reply.json as { pem: string }).pem);
    const text = openssl('x509', '-noout', '-text', '-nameopt', 'RFC2253,-esc_msb,utf8', '-in', ca);
    expect(text).toContain('Signature Algorithm: sha1WithRSAEncryption');
    expect(text).toContain('O=Æ & Söhne,L=Maastricht,ST=Limburg,C=NL');
    const leaf = await client.pem(await client.issue({ ca_id: id }), 'cert');
    const leafText = openssl('x509', '-noout', '-text', '-in', file('sha1-leaf.pem', leaf));
    expect(leafText).toContain('Signature Algorithm: sha1WithRSAEncryption');
  });
});

describe('the leaf', () => {
  test('lasts a year from now, and has its id as serial and the liberal usages', async () => {
    const id = await client.issue({ OU: 'IT Department', L: 'Chicago', ST: 'Illinois' });
    const leaf = await client.pem(id, 'cert');
    const text = openssl('x509', '-noout', '-text', '-nameopt', 'RFC2253', '-in', file('leaf.pem', leaf));
    expect(text).toContain(`Serial Number: ${id} `);
    expect(text).toContain('CN=www.example.com,OU=IT Department,O=ACME\\, Inc.,L=Chicago,ST=Illinois,C=US');
    expect(extensionText(text, 'Basic Constraints')).toBe('CA:FALSE');
    expect(extensionText(text, 'X509v3 Key Usage')).toBe(
      'Digital Signature, Non Repudiation, Key Encipherment, Data Encipherment, Key Agreement',
    );
    expect(extensionText(text, 'Extended Key Usage')).toBe(
      'TLS Web Server Authentication, TLS Web Client Authentication, Code Signing, E-mail Protection, Time Stamping',
    );
    expect(extensionText(text, 'Netscape Cert Type')).toBe('SSL Client, SSL Server, S/MIME, Object Signing');
    expect(text).toContain(`OCSP - URI:${server.controlUrl}/ocsp/ca-${server.authorityId}`);
    expect(text).toContain(`CA Issuers - URI:${server.controlUrl}/aia/ca-${server.authorityId}.crt`);
    expect(text).toContain(`URI:${server.controlUrl}/crl/ca-${server.authorityId}.crl`);
    const { validFromDate, validToDate } = new X509Certificate(leaf);
    expect(validFromDate.getTime()).toBe(NOW);
    expect(validToDate.getTime()).toBe(NOW + 365 * DAY);
  });

  test('has the names as passed, in order, without the common name', async () => {
    const made = await client.call('cert/new', {
      C: 'NL',
      CN: 'Test2',
      O: 'x',
      'SANs[0][IP]': '::1',
      'SANs[1][DNS]': '*.example.com',
      'SANs[2][email]': 'demo@example.com',
      'SANs[3][URI]': 'https://example.org/?a=b',
      'SANs[4][IP]': '127.0.0.1',
      ca_id: server.authorityId,
    });
    const { cert_id: certId } = made.json as { cert_id: number };
    expect(new X509Certificate(await client.pem(certId, 'cert')).subjectAltName).toBe(
      'IP Address:0:0:0:0:0:0:0:1, DNS:*.example.com, email:demo@example.com, URI:https://example.org/?a=b, IP Address:127.0.0.1',
    );
  });

  test('has no names at all if none were passed', async () => {
    const params = { C: 'NL', CN: 'example.com', O: 'x', ca_id: server.authorityId };
    const { cert_id: id } = (await client.call('cert/new', params)).json as { cert_id: number };
    expect(new X509Certificate(await client.pem(id, 'cert')).subjectAltName).toBeUndefined();
    expect((await client.call('cert/details', { cert_id: id })).json).toMatchObject({ Alt: null });
  });
});

describe('the parts of a certificate match', () => {
  test('the chain is the leaf, then the root, and verifies strictly as server and client', async () => {
    const id = await client.issue();
    const chain = await client.pem(id, 'chain');
    expect(chain).toBe((await client.pem(id, 'cert')) + (await caPem()));
    const [ca, leaf] = [file('root.pem', await caPem()), file('chain.pem', chain)];
    for (const purpose of ['sslserver', 'sslclient']) {
      const args = ['-x509_strict', '-attime', String(NOW / 1000 + 60), '-purpose', purpose];
      expect(openssl('verify', ...args, '-CAfile', ca, leaf)).toContain('OK');
    }
    const certificate = new X509Certificate(chain);
    const root = new X509Certificate(await caPem());
    expect(certificate.verify(root.publicKey)).toBe(true);
    expect(certificate.checkIssued(root)).toBe(true);
    expect(root.checkIssued(root)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(root.ca).toBe(true);
  });

  test('keys, request and archive have the certificate’s own key', async () => {
    const id = await client.issue();
    const certificate = new X509Certificate(await client.pem(id, 'cert'));
    const key = await client.pem(id, 'key.dec');
    expect(key).toContain('BEGIN PRIVATE KEY');
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);

    const encrypted = await client.pem(id, 'key.enc');
    expect(encrypted).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    const opened = createPrivateKey({ key: encrypted, passphrase: server.passphrase });
    expect(certificate.checkPrivateKey(opened)).toBe(true);

    const csr = file('request.pem', await client.pem(id, 'csr'));
    const spki = certificate.publicKey.export({ type: 'spki', format: 'pem' });
    expect(openssl('req', '-in', csr, '-noout', '-pubkey').trim()).toBe(String(spki).trim());
    expect(openssl('req', '-in', csr, '-noout', '-verify', '-text')).toContain('DNS:www.example.com');

    const reply = await client.call('cert/get', { cert_id: id, what: 'pkcs12' });
    const archive = file('archive.p12', Buffer.from((reply.json as { pkcs12: string }).pkcs12, 'base64'));
    const passphrase = `file:${file('passphrase', server.passphrase)}`;
    const inside = openssl('pkcs12', '-in', archive, '-passin', passphrase, '-nodes');
    expect(certificate.checkPrivateKey(createPrivateKey(inside))).toBe(true);
    expect(new X509Certificate(inside).fingerprint256).toBe(certificate.fingerprint256);
    expect(inside.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });
});

test('the CRL lists revoked and held certificates and is signed by the authority', async () => {
  const [good, revoked, held, undone] = [
    await client.issue(),
    await client.issue(),
    await client.issue(),
    await client.issue(),
  ];
  await client.call('cert/status', { cert_id: revoked, status: 'revoked' });
  await client.call('cert/status', { cert_id: held, status: 'hold' });
  await client.call('cert/status', { cert_id: undone, status: 'revoked' });
  await client.call('cert/status', { cert_id: undone, status: 'good' });
  const response = await fetch(`${server.controlUrl}/crl/ca-${server.authorityId}.crl`);
  const crl = file('list.crl', Buffer.from(await response.arrayBuffer()));
  const ca = file('crl-ca.pem', await caPem());
  const text = openssl('crl', '-inform', 'der', '-in', crl, '-CAfile', ca, '-noout', '-text');
  const serial = (id: number): string => `Serial Number: ${id.toString(16).toUpperCase().padStart(4, '0')}\n`;
  expect(text).toContain(serial(revoked));
  expect(text).toContain(serial(held));
  expect(text).not.toContain(serial(good));
  expect(text).not.toContain(serial(undone));
  expect(text.match(/Certificate Hold/g)).toHaveLength(1);
  const published = await fetch(`${server.controlUrl}/aia/ca-${server.authorityId}.crt`);
  const root = new X509Certificate(Buffer.from(await published.arrayBuffer()));
  expect(root.toString()).toBe(await caPem());
});
