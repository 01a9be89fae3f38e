import { describe, expect, test } from 'vitest';
import { parseCaBundle, parseEndpoint } from './endpoint.ts';
import { invalidOptions } from './test-client.ts';
import { makeTls } from './test-server.ts';

describe('the endpoint', () => {
  test.each([
    ['https://www.tinycert.org/api/v1/', 'https://www.tinycert.org', '/api/v1/'],
    ['https://ca.example/api/v1', 'https://ca.example', '/api/v1/'],
    ['https://ca.example:8443', 'https://ca.example:8443', '/'],
  ])('%s is read as %s%s', (text, origin, basePath) => {
    const endpoint = parseEndpoint(text, false, invalidOptions);

    expect([endpoint.url.origin, endpoint.basePath]).toEqual([origin, basePath]);
  });

  test.each(['http://localhost:80/', 'http://127.0.0.1:8080/api/', 'http://[::1]:8080/', 'http://127.1/'])(
    '%s is accepted only if http to this machine is allowed',
    (text) => {
      expect(parseEndpoint(text, true, invalidOptions).url.protocol).toBe('http:');
      expect(() => parseEndpoint(text, false, invalidOptions)).toThrow(
        expect.objectContaining({ code: 'InvalidOptions' }),
      );
    },
  );

  test.each([
    'http://www.tinycert.org/api/v1/',
    'http://localhost.example/',
    'http://127.0.0.1.example/',
    'http://10.0.0.1/',
    'ftp://localhost/',
    'file:///etc/passwd',
    'www.tinycert.org',
    '',
    'https://user:hunter2@www.tinycert.org/',
    'https://www.tinycert.org/?x=1',
    'https://www.tinycert.org/#x',
  ])('%s is refused, and the error does not repeat it', (text) => {
    expect(() => parseEndpoint(text, true, invalidOptions)).toThrow(
      expect.objectContaining({ code: 'InvalidOptions', detail: expect.not.stringContaining('hunter2') }),
    );
  });
});

describe('the CA bundle', () => {
  const { ca, cert, key } = makeTls('DNS:localhost');

  test('is split into its certificates', () => {
    expect(parseCaBundle(`# ours\n${ca}\ntext between\n${cert}`, invalidOptions)).toHaveLength(2);
  });

  test.each([
    ['empty text', ''],
    ['a key alone', key],
    ['a broken certificate', ca.replace('MII', '!!!')],
    ['a good and a broken one', `${ca}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`],
  ])('of %s is refused', (_name, text) => {
    expect(() => parseCaBundle(text, invalidOptions)).toThrow(
      expect.objectContaining({ code: 'InvalidOptions' }),
    );
  });
});
