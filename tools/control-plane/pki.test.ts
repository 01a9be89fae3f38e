import { createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { createAuthority, createSigningKey } from './pki.ts';

const NOW = new Date('2026-03-01T00:00:00Z');

test('the authority signs itself and may sign others', () => {
  const ca = new X509Certificate(createAuthority(NOW).caCert);
  expect(ca.ca).toBe(true);
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect([ca.validFromDate, ca.validToDate]).toEqual([
    new Date('2026-02-28T23:00:00Z'),
    new Date('2026-03-31T00:00:00Z'),
  ]);
});

test('a server certificate is valid for its names only', () => {
  const authority = createAuthority(NOW);
  const ca = new X509Certificate(authority.caCert);
  const leaf = new X509Certificate(
    authority.issue({ commonName: 'server', usage: 'server', names: ['127.0.0.1', 'localhost'] }).cert,
  );
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.ca).toBe(false);
  expect([leaf.checkIP('127.0.0.1'), leaf.checkIP('127.0.0.2')]).toEqual(['127.0.0.1', undefined]);
  expect([leaf.checkHost('localhost'), leaf.checkHost('example.com')]).toEqual(['localhost', undefined]);
});

test('two certificates of one authority have different keys and serial numbers', () => {
  const authority = createAuthority(NOW);
  const [a, b] = [0, 1].map(
    () => new X509Certificate(authority.issue({ commonName: 'x', usage: 'client' }).cert),
  );
  expect(a?.serialNumber).not.toBe(b?.serialNumber);
  expect(a?.publicKey.equals(b?.publicKey ?? a.publicKey)).toBe(false);
});

test('OpenSSL accepts both sides of a handshake, and the server sees the client’s name and groups', async () => {
  const authority = createAuthority(new Date());
  const serverSide = authority.issue({ commonName: 'server', usage: 'server', names: ['127.0.0.1'] });
  const clientSide = authority.issue({
    commonName: 'jane',
    organizations: ['system:masters', 'développeurs'],
    usage: 'client',
  });
  const server = createServer({
    ...serverSide,
    ca: authority.caCert,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const arrived = new Promise<TLSSocket>((resolve, reject) => {
    server.once('secureConnection', resolve);
    server.once('tlsClientError', reject);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, ca: authority.caCert, ...clientSide });
  try {
    const peer = (await arrived).getPeerCertificate();
    expect([peer.subject.CN, peer.subject.O]).toEqual(['jane', ['system:masters', 'développeurs']]);
    // id-kp-clientAuth alone: it must not work for a server.
    expect(peer.ext_key_usage).toEqual(['1.3.6.1.5.5.7.3.2']);
  } finally {
    client.destroy();
    server.close();
  }
});

test('the two halves of the signing key match', () => {
  const { publicKey, privateKey } = createSigningKey();
  const text = Buffer.from('token');
  expect(verify('sha256', text, createPublicKey(publicKey), sign('sha256', text, privateKey))).toBe(true);
});
