import { describe, expect, test } from 'vitest';
import { parseCaBundle, parseEndpoint } from './endpoint.ts';
import { makeTls } from './test-server.ts';

describe('the endpoint', () => {
  test.each([
    [undefined, 'https://www.tinycert.org', '/api/v1/'],
    ['https://ca.example/api/v1', 'https://ca.example', '/api/v1/'],
    ['https://ca.example:8443', 'https://ca.example:8443', '/'],
  ])('%s is read as %s%s', (text, origin, basePath) => {
    const endpoint = parseEndpoint(text);

    expect([endpoint.url.origin, endpoint.basePath]).toEqual([origin, basePath]);
  });

  test.each(['http://localhost:80/', 'http://127.0.0.1:8080/api/', 'http://[::1]:8080/', 'http://127.1/'])(
    '%s is taken only if http to this machine is allowed',
    (text) => {
      expect(parseEndpoint(text, true).url.protocol).toBe('http:');
      expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: 'InvalidOptions' }));
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
  ])('%s is refused, and not repeated in the error', (text) => {
    expect(() => parseEndpoint(text, true)).toThrow(
      expect.objectContaining({ code: 'InvalidOptions', detail: expect.not.stringContaining('hunter2') }),
    );
  });
});

describe('the CA bundle', () => {
  const { ca, cert, key } = makeTls('DNS:localhost');

  test('is cut into its certificates', () => {
    expect(parseCaBundle(`# ours\n${ca}\ntext between\n${cert}`)).toHaveLength(2);
  });

  test.each([
    ['empty text', ''],
    ['a key alone', key],
    ['a broken certificate', ca.replace('MII', '!!!')],
    ['a good and a broken one', `${ca}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`],
  ])('of %s is refused', (_name, text) => {
    expect(() => parseCaBundle(text)).toThrow(expect.objectContaining({ code: 'InvalidOptions' }));
  });
});
