import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DerCursor, TAG, bitStringBytes, encode } from './der.ts';
import { X509Error } from './errors.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('a DER cursor', () => {
  test.each([
    ['nothing', ''],
    ['a tag without a length', '30'],
    ['a length beyond the end', '0405 0102'],
    ['a length of many bytes that is cut', '0482 01'],
    ['an indefinite length', '3080 0000'],
    ['a length of five bytes', '0485 0000000001 00'],
    ['a length in more bytes than it needs', '048101 00'],
    ['a long length with a leading zero', `04820080 ${'00'.repeat(128)}`],
    ['a length of four gigabytes', '0484ffffffff 00'],
    ['a tag number of several bytes', '1f8100 00'],
  ])('refuses %s', (_, hex) => {
    expect(() => new DerCursor(bytes(hex)).any()).toThrow(X509Error);
  });

  test('refuses an unexpected tag and does not move', () => {
    const cursor = new DerCursor(bytes('0201 05'));

    expect(() => cursor.next(TAG.sequence)).toThrow(X509Error);
    expect(cursor.optional(TAG.octetString)).toBeUndefined();
    expect(cursor.next(TAG.integer).content).toEqual(bytes('05'));
    expect(cursor.done).toBe(true);
  });

  test('refuses an inner element that reaches beyond the outer one', () => {
    const cursor = new DerCursor(bytes('3003 0402 01 ff'));

    expect(() => cursor.enter(TAG.sequence).any()).toThrow(X509Error);
  });

  test('refuses data after the last element', () => {
    const cursor = new DerCursor(bytes('0500 00'));
    cursor.any();

    expect(() => cursor.finish()).toThrow(X509Error);
  });

  test('refuses a bit string that does not consist of whole bytes', () => {
    expect(bitStringBytes(bytes('00 ff'))).toEqual(bytes('ff'));
    expect(() => bitStringBytes(bytes('04 f0'))).toThrow(X509Error);
    expect(() => bitStringBytes(bytes(''))).toThrow(X509Error);
  });

  test('reads back encoded elements of every length', () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 120, max: 70_000 }).map((length) => new Uint8Array(length).fill(length % 251)),
    );
    fc.assert(
      fc.property(content, fc.constantFrom(0x02, 0x04, 0x30, 0xa3, 0x86), (value, tag) => {
        const element = new DerCursor(encode(tag, Buffer.from(value))).any();

        expect(element.tag).toBe(tag);
        expect(element.content.equals(value)).toBe(true);
      }),
    );
  });

  test('gives adjacent elements or an X509Error for random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        const input = Buffer.from(random);
        const { whole, error } = readAll(input);

        expect(whole.equals(input.subarray(0, whole.length))).toBe(true);
        expect(error instanceof X509Error || error === undefined).toBe(true);
        expect(whole.length === input.length).toBe(error === undefined);
      }),
    );
  });
});

function readAll(input: Buffer): { whole: Buffer; error?: unknown } {
  const cursor = new DerCursor(input);
  const parts: Buffer[] = [];
  try {
    while (!cursor.done) parts.push(cursor.any().whole);
  } catch (error) {
    return { whole: Buffer.concat(parts), error };
  }
  return { whole: Buffer.concat(parts) };
}
