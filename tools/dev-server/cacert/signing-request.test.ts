import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSigningRequest } from './signing-request.ts';
import { openssl, opensslRequest } from './test-client.ts';

const csr = opensslRequest('rsa:2048');
const [, base64 = ''] = /REQUEST-----\n([^-]+)/.exec(csr) ?? [];

test.each([
  ['as OpenSSL writes it', csr],
  ['under the old label', csr.replaceAll('CERTIFICATE', 'NEW CERTIFICATE')],
  ['with text around it and line ends of Windows', `Hello\n${csr.replaceAll('\n', '\r\n')}bye`],
])('a request is read %s', (_, text) => {
  const request = readSigningRequest(text);

  expect(request?.publicKey.export({ type: 'spki', format: 'pem' })).toBe(
    openssl(['req', '-noout', '-pubkey'], csr),
  );
  expect(request?.isSigned).toBe(true);
});

test.each(['-sha1', '-sha224', '-sha384', '-sha512'])('a signature with %s is valid', (hash) => {
  const options = [hash, '-newkey', 'rsa:2048', '-noenc', '-keyout', '/dev/null', '-subj', '/CN=x'];

  expect(readSigningRequest(openssl(['req', '-new', ...options]))?.isSigned).toBe(true);
});

test('a damaged request is unreadable, has another key or an invalid signature', () => {
  const der = Buffer.from(base64, 'base64');
  const key = readSigningRequest(csr)?.spki;
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = Buffer.from(der);
      damaged[at] = (damaged[at] ?? 0) ^ change;
      const text = csr.replace(base64, `${damaged.toString('base64')}\n`);
      const request = readSigningRequest(text);

      expect(request !== undefined && request.isSigned && key !== undefined && request.spki.equals(key)).toBe(
        false,
      );
    }),
  );
});
