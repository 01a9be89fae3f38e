import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEntities, readTexts } from './entities.ts';

function decodeValue(value: string): string | undefined {
  return readTexts([decodeEntities(value)]).texts[0];
}

/** Encodes bytes as PHP's `htmlentities` does for ISO-8859-1, but with numbers instead of names. */
function escaped(bytes: Buffer): string {
  return [...bytes]
    .map((byte) => {
      const isEntity = byte >= 0xa0 || `&<>"'`.includes(String.fromCharCode(byte));
      return isEntity ? `&#${byte};` : String.fromCharCode(byte);
    })
    .join('');
}

describe('a value of CAcert', () => {
  test.each([
    ['&amp;amp;', '&amp;'],
    ['&lt;&gt;&quot;&#039;&#39;&#x27;&apos;', `<>"''''`],
    ['&eacute;&Eacute;&szlig;&yuml;&frac12;&sup1;', 'éÉßÿ½¹'],
    ['&Atilde;&copy;', 'é'],
    ['&iuml;&raquo;&iquest;a', '\u{feff}a'],
    ['&unknown;&;&#;&#x;&#99999999;& &amp', '&unknown;&;&#;&#x;&#99999999;& &amp'],
    ['&#1071;&#x42f;', '&#1071;&#x42f;'],
    ['&toString;&constructor;', '&toString;&constructor;'],
  ])('%s is decoded to %s', (value, text) => {
    expect(decodeValue(value)).toBe(text);
  });

  test('is decoded to the original text, for any text in UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const wellFormed = text.toWellFormed();

        expect(decodeValue(escaped(Buffer.from(wellFormed)))).toBe(wellFormed);
      }),
    );
  });

  test('is decoded as ISO-8859-1 if it is not valid UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (given) => {
        // The first of three bytes without the other two.
        const bytes = Buffer.from([0xe9, 0x41, ...given]);

        expect(decodeValue(escaped(bytes))).toBe(bytes.toString('latin1'));
      }),
    );
  });
});
