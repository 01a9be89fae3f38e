import { describe, expect, test } from 'vitest';
import { formPairs, nestForm } from '../http/form.ts';
import { type SignatureRule, signatureIsValid } from './signature.ts';
import { signedBody } from '../test-client.ts';

const KEY = 'ThisIsMySuperSecretAPIKey';

function accepts(body: string, rule: SignatureRule, key = KEY): boolean {
  const form = nestForm(formPairs(body));
  const digest = form.get('digest');
  return typeof digest === 'string' && signatureIsValid(Buffer.from(body), form, digest, key, rule);
}

const ELEVEN_NAMES = Array.from({ length: 11 }, (_, i) => `SANs%5B${i}%5D%5BDNS%5D=h${i}.example.com`).join(
  '&',
);

describe('the known vectors pass by both rules', () => {
  test.each([
    [
      'the example of the documentation',
      KEY,
      'C=US&CN=example.com&L=Chicago&O=ACME%2C+Inc.&OU=IT+Department&SANs%5B0%5D%5BDNS%5D=www.example.com&SANs%5B1%5D%5BDNS%5D=example.com&ST=Illinois&ca_id=123&token=d7dd6880c206216a9ed74f92ca8edaef88728bbb2c8b23020c624de9a7d08d6f',
      '16b436bd8779dadf0327a97eac54b631e02c4643cbf52ccc1358431691f74b21',
    ],
    [
      'a passphrase of signs',
      KEY,
      'email=user%2Btest%40example.com&passphrase=pass+phrase+%7E%2A%21%27%28%29%26%3D%25',
      '3c16eb6514b79ba4edda2200449970364025dd6c54706866ccd708584225e3b4',
    ],
    [
      'every type of name',
      KEY,
      'C=NL&CN=%2A.example.com&O=Caf%C3%A9+%26+S%C3%B6hne&SANs%5B0%5D%5BDNS%5D=%2A.example.com&SANs%5B1%5D%5BIP%5D=%3A%3A1&SANs%5B2%5D%5BURI%5D=https%3A%2F%2Fexample.org%2F%3Fa%3Db&SANs%5B3%5D%5Bemail%5D=demo%40example.com&ca_id=7&token=abc',
      'b7265b417987b6bc0f189c0964932b2fc3b10da243b83bea22f4107c076c9c89',
    ],
    [
      'a list',
      KEY,
      'ca_id=7&token=abc&what=14',
      '51a8b142e6fa269fb304866510976e2dedd18a67b183a3dff48a0485fce35066',
    ],
    [
      'eleven names in order',
      KEY,
      `C=NL&CN=h0.example.com&O=x&${ELEVEN_NAMES}&ca_id=7&token=abc`,
      '518cfc1c4c1ae56282cf47e1edf9a5761e688aceb69487cbfcc8d0e352473ee7',
    ],
    [
      'the Python client, connecting',
      'somekey',
      'email=me%40foo.com&passphrase=my+passphrase',
      '9b8062b8ab91dd2ff4bb9d24d7be5234659ba94c772a8e056d26388e052b8537',
    ],
    [
      'the Python client, disconnecting',
      'somekey',
      'token=sometoken',
      'a83d65e81eb4e6cae1b0fc95c26f6ac838e278f22b0a94d8a42c4a193a58420d',
    ],
  ])('%s', (_, key, query, digest) => {
    expect(accepts(`${query}&digest=${digest}`, 'raw', key)).toBe(true);
    expect(accepts(`${query}&digest=${digest}`, 'php', key)).toBe(true);
    expect(accepts(`${query}&digest=${digest}`, 'php', `${key}x`)).toBe(false);
    expect(accepts(`${query}&digest=${digest}`, 'either', `${key}x`)).toBe(false);
  });
});

describe('the encodings of published clients', () => {
  test.each([
    ['a bare star', 'CN=*.example.com&token=abc', { raw: true, php: false }],
    ['a bare tilde', 'passphrase=a~b&token=abc', { raw: true, php: false }],
    ['a space as %20', 'O=a%20b&token=abc', { raw: true, php: false }],
    ['lower-case escapes', 'O=a%2cb&token=abc', { raw: true, php: false }],
    ['bare brackets', 'SANs[0][DNS]=a&token=abc', { raw: true, php: false }],
    [
      'flattened and sorted names',
      `C=NL&${ELEVEN_NAMES.split('&').sort().join('&')}&token=abc`,
      { raw: true, php: true },
    ],
    ['names as PHP has them', 'CN=%2A.example.com&token=abc', { raw: true, php: true }],
  ])('%s', (_, query, want) => {
    const body = signedBody(query, KEY);
    expect(accepts(body, 'raw')).toBe(want.raw);
    expect(accepts(body, 'php')).toBe(want.php);
    expect(accepts(body, 'either')).toBe(true);
  });
});

test('a digest over sorted parameters that were sent unsorted passes only by the rule php', () => {
  const digest = signedBody('a=1&b=2', KEY).split('digest=')[1] ?? '';
  expect(accepts(`b=2&a=1&digest=${digest}`, 'php')).toBe(true);
  expect(accepts(`b=2&a=1&digest=${digest}`, 'raw')).toBe(false);
});

test('a changed parameter, an upper-case digest and a truncated one all fail', () => {
  const body = signedBody('a=1&token=abc', KEY);
  expect(accepts(body, 'either')).toBe(true);
  expect(accepts(body.replace('a=1', 'a=2'), 'either')).toBe(false);
  expect(
    accepts(
      body.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase()),
      'either',
    ),
  ).toBe(false);
  expect(accepts(body.slice(0, -1), 'either')).toBe(false);
});
