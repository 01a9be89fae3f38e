import { assert, integer as anyInteger, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bitString, boolean, explicit, implicit, integer, oid, sequence, time, utf8String } from './der.ts';

describe('the DER of', () => {
  test.each([
    ['zero', integer(Buffer.from([0])), '020100'],
    ['127', integer(Buffer.from([127])), '02017f'],
    ['128, which needs a zero byte before its sign bit', integer(Buffer.from([128])), '02020080'],
    ['an integer with needless leading zeros', integer(Buffer.from([0, 0, 1])), '020101'],
    ['true', boolean(true), '0101ff'],
    ['an object identifier with large arcs', oid('1.2.840.113549'), '06062a864886f70d'],
    ['a text beyond ASCII', utf8String('é'), '0c02c3a9'],
    ['a bit string with padding', bitString(Buffer.from([0x80]), 7), '03020780'],
    ['an empty sequence', sequence(), '3000'],
    ['an explicit tag', explicit(3, sequence()), 'a3023000'],
    ['an implicit tag', implicit(2, Buffer.from('a')), '820161'],
    ['a time before 2050', time(new Date('2049-12-31T23:59:59Z')), `170d${hex('491231235959Z')}`],
    ['a time from 2050 on', time(new Date('2050-01-01T00:00:00.5Z')), `180f${hex('20500101000000Z')}`],
  ])('%s', (_what, der, want) => {
    expect(der.toString('hex')).toBe(want);
  });
});

test('a length of any size has the fewest bytes and the content is intact', () => {
  assert(
    property(anyInteger({ min: 0, max: 70_000 }), (size) => {
      const der = utf8String('a'.repeat(size));
      const first = der[1] ?? 0;
      const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
      const length = lengthBytes === 0 ? first : der.readUIntBE(2, lengthBytes);
      expect(length).toBe(size);
      expect(der.length).toBe(2 + lengthBytes + size);
      expect(lengthBytes).toBe(size < 0x80 ? 0 : Math.ceil(Math.log2(size + 1) / 8));
    }),
  );
});

function hex(text: string): string {
  return Buffer.from(text, 'ascii').toString('hex');
}
