import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { expectLinear } from '../../test/support/scaling.ts';
import { TAG, constructed, encode } from './der.ts';
import { PEM_LIMITS, readPem, writePem } from './pem.ts';
import { readPrivateKey } from './private-key.ts';

const EC = Buffer.from('2a8648ce3d0201', 'hex');
const DSA = Buffer.from('2a8648ce380401', 'hex');
const RSA = Buffer.from('2a864886f70d010101', 'hex');
const DH = Buffer.from('2a864886f70d010301', 'hex');

/** A number of `bytes` bytes without structure, odd and positive. */
function number(bytes: number): Buffer {
  const content = Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 131 + 89) & 0xff));
  content[0] = 0x41;
  content[bytes - 1] = 0xf1;
  return encode(TAG.integer, content);
}

function pkcs8(algorithm: Buffer, parameters: Buffer, key: Buffer): Buffer {
  return encode(
    TAG.sequence,
    encode(TAG.integer, Buffer.from([0])),
    encode(TAG.sequence, encode(TAG.oid, algorithm), parameters),
    encode(TAG.octetString, key),
  );
}

/** A key of another algorithm whose size makes OpenSSL compute for long. */
function hostile(algorithm: Buffer, size: number): Buffer {
  const bytes = Math.max(32, Math.floor(size * 0.36));
  const parameters = encode(TAG.sequence, number(bytes), number(32), number(1));
  return pkcs8(algorithm, parameters, number(bytes));
}

describe('a key costs no more than its length, whatever it claims to be:', () => {
  test.each([
    ['DSA', 'PRIVATE KEY', DSA],
    ['DSA under the label of an EC key', 'EC PRIVATE KEY', DSA],
    ['Diffie-Hellman', 'PRIVATE KEY', DH],
    ['EC with parameters of its own', 'PRIVATE KEY', EC],
    ['RSA with parameters', 'PRIVATE KEY', RSA],
  ])('%s', (_, label, algorithm) => {
    const read = (text: string): unknown => {
      try {
        return readPrivateKey(text);
      } catch (error) {
        return error;
      }
    };
    const text = (size: number): string => writePem(label, hostile(algorithm, size));
    expect(read(text(PEM_LIMITS.privateKey / 2))).toMatchObject({ name: 'X509Error' });
    expectLinear(read, text, { to: PEM_LIMITS.privateKey * 0.9 });
  });
});

describe('an EC key is refused', () => {
  const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8' });
  const named = openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout');
  const explicit = openssl('ecparam', '-name', 'prime256v1', '-param_enc', 'explicit', '-genkey', '-noout');
  const derOf = (text: string): Buffer => readPem(text, PEM_LIMITS.privateKey)[0]?.der ?? Buffer.alloc(0);
  const P256 = encode(TAG.oid, Buffer.from('2a8648ce3d030107', 'hex'));

  test.each<[string, () => string]>([
    ['with explicit parameters, in SEC 1', () => explicit],
    [
      'with explicit parameters, in PKCS#8',
      () => execFileSync('openssl', ['pkcs8', '-topk8', '-nocrypt'], { input: explicit, encoding: 'utf8' }),
    ],
    [
      'with a named curve outside and explicit parameters inside',
      () => writePem('PRIVATE KEY', pkcs8(EC, P256, derOf(explicit))),
    ],
    ['without a curve', () => writePem('EC PRIVATE KEY', encode(TAG.sequence, number(1), number(1)))],
    [
      'with an empty curve',
      () =>
        writePem(
          'EC PRIVATE KEY',
          encode(
            TAG.sequence,
            encode(TAG.integer, Buffer.from([1])),
            encode(TAG.octetString, Buffer.alloc(32, 1)),
            encode(constructed(0)),
          ),
        ),
    ],
  ])('%s', (_, text) => {
    expect(() => readPrivateKey(text())).toThrow(expect.objectContaining({ name: 'X509Error' }));
  });

  test('and one on a named curve is not', () => {
    expect(readPrivateKey(named).type).toBe('ec');
    expect(readPrivateKey(writePem('PRIVATE KEY', pkcs8(EC, P256, derOf(named)))).type).toBe('ec');
  });
});
