import { expect, test } from 'vitest';
import { type Form, nestForm } from '../http/form.ts';
import { generalName, namesOfForm } from './names.ts';
import { ServiceError } from '../service-error.ts';

test.each([
  ['DNS', 'example.com', true],
  ['DNS', '*.test.net', true],
  ['DNS', 'al*.test.net', false],
  ['DNS', '*al.test.net', false],
  ['DNS', 'a.*.test.net', false],
  ['DNS', '*', false],
  ['DNS', '*.', false],
  ['DNS', 'localhost', true],
  ['DNS', 'web.default.svc.cluster.local', true],
  ['DNS', '_acme.example.com', true],
  ['DNS', '-a.example.com', false],
  ['DNS', 'a..b', false],
  ['DNS', 'example.com.', false],
  ['DNS', 'münchen.example', false],
  ['DNS', '', false],
  ['DNS', `${'a'.repeat(63)}.example`, true],
  ['DNS', `${'a'.repeat(64)}.example`, false],
  ['DNS', `${'a.'.repeat(130)}example`, false],
  ['IP', '127.0.0.1', true],
  ['IP', '::1', true],
  ['IP', '2001:db8::1', true],
  ['IP', '256.0.0.1', false],
  ['IP', 'fe80::1%eth0', false],
  ['IP', 'example.com', false],
  ['email', 'demo@example.com', true],
  ['email', 'a+b@localhost', true],
  ['email', 'demo', false],
  ['email', 'a@b@c', false],
  ['email', 'a b@example.com', false],
  ['URI', 'https://example.org/?a=b', true],
  ['URI', 'spiffe://cluster/ns/x', true],
  ['URI', 'urn:uuid:1', true],
  ['URI', 'example.org', false],
  ['URI', 'https://a b', false],
  ['dns', 'example.com', false],
  ['toString', 'example.com', false],
])('%s %s is legal: %s', (type, value, legal) => {
  const form = nestForm([[`SANs[0][${type}]`, value]]);
  const want = legal ? [{ type, value }] : { code: 'InputFailure', isNamed: true };
  expect(outcome(form)).toEqual(want);
});

function outcome(form: Form): unknown {
  try {
    return namesOfForm(form.get('SANs'));
  } catch (error) {
    const { code, message } = error as ServiceError;
    return { code, isNamed: message.includes("'SANs'") };
  }
}

test('empty names are an illegal value, absent names are none', () => {
  expect(() => namesOfForm('')).toThrow(ServiceError);
  expect(namesOfForm(undefined)).toEqual([]);
});

test.each([
  ['127.0.0.1', '87047f000001'],
  ['::', `8710${'0'.repeat(32)}`],
  ['::1', `8710${'0'.repeat(31)}1`],
  ['2001:db8::1', '871020010db8000000000000000000000001'],
  ['1:2:3:4:5:6:7:8', '871000010002000300040005000600070008'],
  ['::ffff:192.0.2.1', '871000000000000000000000ffffc0000201'],
  ['fe80::', '8710fe800000000000000000000000000000'],
])('the address %s is written as its bytes', (address, hex) => {
  expect(generalName({ type: 'IP', value: address }).toString('hex')).toBe(hex);
});
