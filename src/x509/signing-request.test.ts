import { createPublicKey, createSign } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Vectors } from '../../test/support/x509/x509-vectors.ts';
import { X509Error } from './errors.ts';
import { PEM_LIMITS, readPem, writePem } from './pem.ts';
import { readPrivateKey } from './private-key.ts';
import { createSigningRequest, verifySigningRequest } from './signing-request.ts';

const vectors = new Vectors();
afterAll(() => vectors.remove());

const rsa = vectors.make({ subject: '/CN=rsa' });
const ec = vectors.make({ subject: '/CN=ec', curve: 'P-256' });
const key = readPrivateKey(rsa.key);
const spki = createPublicKey(rsa.key).export({ type: 'spki', format: 'der' });
const request = await createSigningRequest({
  key,
  commonName: 'Zoë Müller',
  emailAddresses: ['zoe@example.com', 'zoe@example.org'],
});

describe('a signing request', () => {
  test('is valid for OpenSSL, with these names in their order', () => {
    const shown = inspect(request);

    expect(shown).toContain('Version: 1 (0x0)');
    expect(shown).toContain('CN=Zoë Müller,emailAddress=zoe@example.com,emailAddress=zoe@example.org');
    expect(shown).toContain('Signature Algorithm: sha256WithRSAEncryption');
    expect(shown).toContain('Public-Key: (2048 bit)');
  });

  test('has a signature that OpenSSL and verifySigningRequest accept', () => {
    expect(vectors.openssl('req', '-verify', '-noout', '-pubkey', '-in', file(request))).toContain(
      spki.toString('base64').slice(0, 64),
    );
    expect(verifySigningRequest(request).equals(spki)).toBe(true);
  });

  test('made by OpenSSL is accepted too', () => {
    const theirs = vectors.openssl(
      'req',
      '-new',
      '-subj',
      '/CN=x/O=y',
      '-key',
      vectors.write('key', rsa.key),
    );

    expect(verifySigningRequest(theirs).equals(spki)).toBe(true);
  });

  test('can have any name that a person may have', async () => {
    const character = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 1 })
      .filter((c) => !/\p{Cc}/u.test(c));
    const name = fc.array(character, { minLength: 1, maxLength: 64 }).map((parts) => parts.join(''));
    const part = fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]{1,40}$/);
    const address = fc.tuple(part, fc.domain()).map(([local, domain]) => `${local}@${domain}`);
    await fc.assert(
      fc.asyncProperty(name, fc.array(address, { maxLength: 5 }), async (commonName, emailAddresses) => {
        const pem = await createSigningRequest({ key, commonName, emailAddresses });
        const body = derOf(pem);

        expect(verifySigningRequest(pem).equals(spki)).toBe(true);
        for (const text of [commonName, ...emailAddresses]) expect(body.includes(text, 0, 'utf8')).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['no common name', { commonName: '' }],
    ['a common name of 65 characters', { commonName: 'x'.repeat(65) }],
    ['a common name with a line break', { commonName: 'a\nb' }],
    ['a common name with a zero byte', { commonName: 'admin\0x' }],
    ['half a character', { commonName: 'a\ud800' }],
    ['an e-mail address without an @', { emailAddresses: ['someone'] }],
    ['an e-mail address with an umlaut', { emailAddresses: ['zoë@example.com'] }],
    ['an e-mail address with a blank', { emailAddresses: ['a b@example.com'] }],
    ['an e-mail address of 256 characters', { emailAddresses: [`${'x'.repeat(244)}@example.com`] }],
  ])('is refused with %s', async (_, change) => {
    await expect(createSigningRequest({ key, commonName: 'x', ...change })).rejects.toMatchObject({
      name: 'X509Error',
      code: 'InvalidName',
    });
  });

  test('accepts a common name of 64 characters outside the BMP', async () => {
    const pem = await createSigningRequest({ key, commonName: '😀'.repeat(64) });

    expect(verifySigningRequest(pem).equals(spki)).toBe(true);
  });

  test('is refused with an EC key', async () => {
    const made = createSigningRequest({ key: readPrivateKey(ec.key), commonName: 'x' });

    await expect(made).rejects.toMatchObject({ code: 'InvalidPrivateKey' });
  });
});

describe('a signing request is refused:', () => {
  test.each([
    ['nothing', '', 'InvalidSigningRequest'],
    ['a certificate', rsa.cert, 'InvalidSigningRequest'],
    ['two requests', request + request, 'InvalidSigningRequest'],
    [
      'a request under the old label',
      request.replaceAll('CERTIFICATE', 'NEW CERTIFICATE'),
      'InvalidSigningRequest',
    ],
    ['one that is cut', request.slice(0, -40), 'InvalidPem'],
    ['no DER', writePem('CERTIFICATE REQUEST', Buffer.from('hello')), 'InvalidDer'],
    ['a request with trailing data', withTail(request), 'InvalidDer'],
    ['a text above the limit', ' '.repeat(PEM_LIMITS.signingRequest + 1), 'TooLarge'],
    ['one with an EC key', opensslRequest(ec.key), 'InvalidSigningRequest'],
    ['one signed with SHA-1', opensslRequest(rsa.key, '-sha1'), 'InvalidSigningRequest'],
    ['one signed with SHA-512', opensslRequest(rsa.key, '-sha512'), 'InvalidSigningRequest'],
    ['one signed by another key', resigned(), 'InvalidSigningRequest'],
  ])('%s', (_, text, code) => {
    expect(refusal(text)).toMatchObject({ code });
  });

  test('a request in which any single bit is wrong', () => {
    const der = derOf(request);
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(der);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);

        expect(refusal(writePem('CERTIFICATE REQUEST', changed))).toBeInstanceOf(X509Error);
      }),
      { numRuns: 500 },
    );
  });
});

function refusal(text: string): X509Error | undefined {
  try {
    verifySigningRequest(text);
  } catch (error) {
    if (error instanceof X509Error) return error;
    throw error;
  }
  return undefined;
}

function inspect(pem: string): string {
  return vectors
    .openssl('req', '-noout', '-text', '-nameopt', 'sep_comma_plus,utf8,sname', '-in', file(pem))
    .replaceAll(', ', ',')
    .replaceAll(' = ', '=');
}

function file(pem: string): string {
  return vectors.write('csr', pem);
}

function derOf(pem: string): Buffer {
  return readPem(pem, PEM_LIMITS.signingRequest)[0]?.der ?? Buffer.alloc(0);
}

function withTail(pem: string): string {
  return writePem('CERTIFICATE REQUEST', Buffer.concat([derOf(pem), Buffer.from([5, 0])]));
}

function opensslRequest(keyPem: string, ...options: string[]): string {
  return vectors.openssl('req', '-new', '-subj', '/CN=x', '-key', vectors.write('key', keyPem), ...options);
}

/** The same request, signed by another RSA key. */
function resigned(): string {
  const der = derOf(request);
  const other = vectors.make({ subject: '/CN=other' });
  const body = der.subarray(4, 4 + 4 + der.readUInt16BE(6));
  const signature = createSign('sha256').update(body).sign(other.key);
  return writePem('CERTIFICATE REQUEST', Buffer.concat([der.subarray(0, -256), signature]));
}
