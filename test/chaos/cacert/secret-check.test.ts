import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCAcertClient } from '../../../src/cacert/index.ts';
import { generateRsaKey } from '../../../src/x509/generate-rsa-key.ts';
import { createSigningRequest } from '../../../src/x509/signing-request.ts';
import { type CAcertServer, startCAcertServer } from '../../../tools/dev-server/index.ts';
import { keyIn, readMailSecret } from './secret-check.ts';

const emails = ['b@chaos.test', 'a@chaos.test'];
const MEMBER = { username: 'a@chaos.test', password: 'p', firstName: 'Jane', lastName: 'Doe', emails };

let server: CAcertServer;
let root: string;
let good: Record<string, string>;
let otherKey: string;
beforeAll(async () => {
  server = await startCAcertServer({ members: [MEMBER], validity: '1h' });
  const { endpoint, caPem, username, password } = server;
  const client = createCAcertClient({ endpoint, ca: caPem, credentials: { username, password } });
  const key = await generateRsaKey(2048, new AbortController().signal);
  const csr = await createSigningRequest({ key, commonName: 'x' });
  const { encoding } = await client.getAccount();
  const { certificate } = await client.signCertificate({ csr, emails, name: 'Jane Doe', encoding });
  root = server.ca.rootPem;
  good = { 'tls.crt': base64(certificate), 'tls.key': base64(key.toPkcs8()), 'ca.crt': base64(root) };
  otherKey = base64((await generateRsaKey(2048, new AbortController().signal)).toPkcs8());
  await client.close();
});
afterAll(() => server.stop());

test('a valid Secret yields its certificate and key, and its addresses in order', () => {
  const [signed] = server.certificates();

  expect(readMailSecret(good, { root, now: Date.now() })).toEqual({
    serial: signed?.serial,
    commonName: 'Jane Doe',
    emails,
    keyFingerprint: signed?.keyFingerprint,
  });
  expect(keyIn(good)).toBe(signed?.keyFingerprint);
  expect(keyIn({})).toBeUndefined();
});

describe('a bad Secret is found', () => {
  test.each<[string, () => Record<string, string>, string]>([
    ['empty', () => ({}), 'no certificate'],
    ['with another key', () => ({ ...good, 'tls.key': otherKey }), 'does not fit'],
    ['without the root', () => ({ ...good, 'ca.crt': '' }), 'ca.crt'],
    ['with another root', () => ({ ...good, 'ca.crt': base64(server.ca.class3Pem) }), 'ca.crt'],
  ])('%s', (_, data, complaint) => {
    expect(() => readMailSecret(data(), { root, now: Date.now() })).toThrow(complaint);
  });

  test.each([
    ['expired', 2 * 3_600_000, 'expired'],
    ['before its time', -3_600_000, 'not valid yet'],
  ])('%s', (_, later, complaint) => {
    expect(() => readMailSecret(good, { root, now: Date.now() + later })).toThrow(complaint);
  });

  test('from another authority', () => {
    expect(() => readMailSecret(good, { root: server.ca.class3Pem, now: Date.now() })).toThrow('not signed');
  });
});

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
