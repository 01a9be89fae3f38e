import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectLinear, runsOf } from '../../test/support/scaling.ts';
import { X509Error } from './errors.ts';
import { PEM_LIMITS, readPem, writePem } from './pem.ts';

const block = '-----BEGIN X-----\nAQID\n-----END X-----\n';

function codeOf(text: string, limit: number = PEM_LIMITS.bundle): string {
  try {
    readPem(text, limit);
  } catch (error) {
    if (error instanceof X509Error) return error.code;
    throw error;
  }
  return 'read';
}

describe('a PEM text', () => {
  test('may have other text around its blocks and Windows line ends', () => {
    const text = `subject=CN = a\r\n${block.replaceAll('\n', '\r\n')}\r\nissuer=CN = b\r\n${block}trailer`;

    expect(readPem(text, 1000)).toEqual([
      { label: 'X', der: Buffer.from([1, 2, 3]) },
      { label: 'X', der: Buffer.from([1, 2, 3]) },
    ]);
  });

  test('without blocks has none', () => {
    expect(readPem('', 10)).toEqual([]);
    expect(readPem('----- BEGIN', 20)).toEqual([]);
  });

  test.each([
    ['a block without an end', '-----BEGIN X-----\nAQID\n'],
    ['an end of another label', '-----BEGIN X-----\nAQID\n-----END Y-----\n'],
    ['a label without an end', '-----BEGIN X\nAQID\n-----END X-----'],
    ['a label without end in sight', `-----BEGIN ${'X'.repeat(100)}-----\nAQID\n`],
    ['an empty block', '-----BEGIN X-----\n-----END X-----\n'],
    ['headers in a block', '-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END X-----\n'],
    ['a block in a block', `-----BEGIN X-----\n${block}-----END X-----\n`],
    ['base64 of URLs', '-----BEGIN X-----\nAQ-_\n-----END X-----\n'],
    ['more after the padding', '-----BEGIN X-----\nAQ==AQID\n-----END X-----\n'],
    ['a blank in the padding', '-----BEGIN X-----\nAQ= =\n-----END X-----\n'],
    ['too much padding', '-----BEGIN X-----\nAQ===\n-----END X-----\n'],
  ])('with %s is refused', (_, text) => {
    expect(codeOf(text)).toBe('InvalidPem');
  });

  test('that is too long is refused unread', () => {
    expect(codeOf('-----BEGIN X-----', 16)).toBe('TooLarge');
  });

  test.each([
    ['BEGIN lines', '-----BEGIN X-----\n'],
    ['END lines', '-----END X-----\n'],
    ['BEGIN lines with ever new labels', (i: number) => `-----BEGIN ${i}-----\n`],
    ['dashes', '-'],
    ['equal signs', '='],
    ['blanks in a block', (i: number) => (i === 0 ? '-----BEGIN X-----' : ' ')],
  ])('of the largest size that consists of %s alone is finished in linear time', (_, part) => {
    const one = typeof part === 'string' ? () => part : part;
    let text = '';
    for (let i = 0; text.length < PEM_LIMITS.bundle - 80; i += 1) text += one(i);

    expect(['InvalidPem', 'read']).toContain(codeOf(text));
  });

  test.each([
    ['blanks', ' '],
    ['line breaks', '\r\n'],
    ['equal signs', '='],
    ['dashes', '-'],
    ['digits', '1'],
  ])('with a block of %s and another character at its end is refused in linear time', (_, part) => {
    const body = runsOf(part);
    const text = (size: number): string => `-----BEGIN X-----${body(size)}-----END X-----`;

    expect(codeOf(text(1000))).toBe('InvalidPem');
    expectLinear(codeOf, text, { to: PEM_LIMITS.bundle - 100 });
  });

  test('reads back as it was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (random) => {
        const der = Buffer.from(random);
        const text = writePem('CERTIFICATE', der);

        expect(readPem(text, 1000)).toEqual([{ label: 'CERTIFICATE', der }]);
        expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(64);
      }),
    );
  });
});
