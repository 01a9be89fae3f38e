import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as der from './der.ts';

test('an integer is its shortest two’s complement', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 160n }), (value) => {
      const content = der.integer(value).subarray(2);
      const unsigned = BigInt(`0x${content.toString('hex')}`);
      expect(BigInt.asIntN(content.length * 8, unsigned)).toBe(value);
      const bits = value.toString(2).length + 1;
      expect(content.length).toBe(Math.ceil(bits / 8));
    }),
  );
});

test.each([
  [0, '0400'],
  [127, '047f'],
  [128, '048180'],
  [255, '0481ff'],
  [256, '04820100'],
  [65_535, '0482ffff'],
  [65_536, '0483010000'],
])('%d bytes begin with %s', (length, header) => {
  const encoded = der.octetString(Buffer.alloc(length, 7));
  expect(encoded.length).toBe(header.length / 2 + length);
  expect(encoded.toString('hex', 0, header.length / 2)).toBe(header);
});

test.each([
  ['2.5.29.17', '0603551d11'],
  ['1.2.840.113549.1.1.11', '06092a864886f70d01010b'],
  ['2.16.840.1.113730.1.1', '06096086480186f8420101'],
])('the object identifier %s', (dotted, hex) => {
  expect(der.oid(dotted).toString('hex')).toBe(hex);
});

test.each([
  ['zero', der.integer(0), '020100'],
  ['128 with a leading zero', der.integer(128), '02020080'],
  ['true', der.boolean(true), '0101ff'],
  ['the bits 0, 2, 4, 5, 6', der.namedBits(0, 2, 4, 5, 6), '030201ae'],
  ['the bit 8', der.namedBits(8), '0303070080'],
  [
    'a time before 2050',
    der.time(Date.UTC(2049, 11, 31, 23, 59, 59) / 1000),
    '170d3439313233313233353935395a',
  ],
  ['a time from 2050 on', der.time(Date.UTC(2050, 0, 1) / 1000), '180f32303530303130313030303030305a'],
  ['UTF-16', der.bmpString('é'), '1e0200e9'],
])('%s', (_, encoded, hex) => {
  expect(encoded.toString('hex')).toBe(hex);
});
