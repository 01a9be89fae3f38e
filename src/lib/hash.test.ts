import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, hmacHex, sha256Hex, shares } from './hash.ts';

test('the order of keys does not matter, but that of items does', () => {
  expect(canonicalJson({ b: 1, a: { d: [2, 1], c: null } })).toBe('{"a":{"c":null,"d":[2,1]},"b":1}');
  expect(canonicalJson([2, 1])).not.toBe(canonicalJson([1, 2]));
});

test('an undefined member is omitted, and an undefined item becomes null', () => {
  expect(canonicalJson({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
  expect(canonicalJson(undefined)).toBe('null');
});

test('dates are written as in JSON', () => {
  expect(canonicalJson({ at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
});

test.each([NaN, Infinity, 1n, () => 1, Symbol('s')])(
  'a value that JSON cannot represent is refused: %s',
  (value) => {
    expect(() => canonicalJson({ value })).toThrow(TypeError);
  },
);

test('the text is JSON of the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('any order of keys gives the same text', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse());
      expect(canonicalJson(turned)).toBe(canonicalJson(value));
    }),
  );
});

test('digests match the published ones', () => {
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(sha256Hex(Buffer.from('abc'))).toBe(sha256Hex('abc'));
  // RFC 4231, test case 2.
  expect(hmacHex('Jefe', 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

test('shares are derived from the text and distributed evenly and independently', () => {
  expect(shares('a')).toEqual(shares('a'));
  const counts = Array<number>(16).fill(0);
  for (let i = 0; i < 16_000; i += 1) {
    const [first, second] = shares(`uid-${i % 40}\n${i}`);
    const cell = Math.floor(first * 4) * 4 + Math.floor(second * 4);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  // A thousand each is expected; five standard deviations are 153.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(153);
});
