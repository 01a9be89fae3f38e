import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTinyCertClient } from '../../../src/tinycert/index.ts';
import { type DevServer, startDevServer } from '../../../tools/dev-server/index.ts';
import { namesIn, readSecret } from './secret-check.ts';

const names = ['b.chaos.test', 'chaos.test', 'a.chaos.test'];

let dev: DevServer;
let root: string;
let good: Record<string, string>;
let id: number;
let otherKey: string;
beforeAll(async () => {
  dev = await startDevServer({ validity: '1h' });
  const { endpoint, caPem, email, passphrase, apiKey, authorityId } = dev;
  const client = createTinyCertClient({ endpoint, ca: caPem, credentials: { email, passphrase, apiKey } });
  const request = {
    authorityId,
    subject: { commonName: 'chaos.test', country: 'NL', organization: 'O' },
    alternativeNames: names.map((value) => ({ type: 'DNS' as const, value })),
  };
  id = await client.createCertificate(request);
  const other = await client.createCertificate(request);
  root = dev.authorities().find((authority) => authority.id === authorityId)?.pem ?? '';
  good = {
    'tls.crt': base64(await client.getCertificate(id, 'cert')),
    'tls.key': base64(await client.getCertificate(id, 'key.dec')),
    'ca.crt': base64(root),
  };
  otherKey = base64(await client.getCertificate(other, 'key.dec'));
  await client.close();
});
afterAll(() => dev.stop());

test('a valid Secret yields its certificate and key, and its names in order', () => {
  const { keyFingerprint } = dev.certificates().find((one) => one.id === id) ?? {};
  expect(readSecret(good, { root, now: Date.now() })).toEqual({ id, keyFingerprint });
  expect(namesIn(good)).toEqual(names);
});

describe('a bad Secret is found', () => {
  test.each<[string, () => Record<string, string>, string]>([
    ['empty', () => ({}), 'no certificate'],
    ['with another key', () => ({ ...good, 'tls.key': otherKey }), 'does not fit'],
    [
      'with the root in the chain',
      () => ({ ...good, 'tls.crt': joined(good['tls.crt'], root) }),
      'has the root as its leaf',
    ],
    ['without the root', () => ({ ...good, 'ca.crt': '' }), 'ca.crt'],
    ['with a torn certificate', () => ({ ...good, 'tls.crt': (good['tls.crt'] ?? '').slice(0, 400) }), ''],
  ])('%s', (_, data, complaint) => {
    expect(() => readSecret(data(), { root, now: Date.now() })).toThrow(complaint);
  });

  test('from another authority', () => {
    const elsewhere = dev.authorities().find(({ pem }) => pem !== root)?.pem ?? '';

    expect(() => readSecret(good, { root: elsewhere, now: Date.now() })).toThrow('not signed');
  });

  test.each([
    ['expired', 2 * 3_600_000, 'expired'],
    ['before its time', -3_600_000, 'not valid yet'],
  ])('%s', (_, later, complaint) => {
    expect(() => readSecret(good, { root, now: Date.now() + later })).toThrow(complaint);
  });
});

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function joined(crt = '', more: string): string {
  return base64(Buffer.from(crt, 'base64').toString() + more);
}
