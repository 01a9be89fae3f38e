import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { htmlText } from './html-text.ts';

test.each([
  ['nothing special', 'Jane Doe', 'Jane Doe'],
  ['what HTML reserves', `a&b<c"d'e`, 'a&amp;b'],
  ['quotes', `"O'Neil"`, '&quot;O&#039;Neil&quot;'],
  ['a tag', 'Jane<br>Doe', 'JaneDoe'],
  ['letters of Latin-1', '\xc4\xd6\xdc\xdf\xff\xa0\xa9', '&Auml;&Ouml;&Uuml;&szlig;&yuml;&nbsp;&copy;'],
  ['the halves of UTF-8', '\xc3\xbc\xc3\x80', '&Atilde;&frac14;&Atilde;\x80'],
])('%s', (_, bytes, text) => {
  expect(htmlText(bytes)).toBe(text);
});

test('no byte of Latin-1 stays as it is, and no two have the same entity', () => {
  const bytes = Array.from({ length: 96 }, (_, index) => String.fromCharCode(0xa0 + index));
  const written = bytes.map(htmlText);

  expect(new Set(written).size).toBe(96);
  fc.assert(
    fc.property(fc.constantFrom(...bytes), fc.constantFrom(...bytes), (a, b) => {
      expect(htmlText(a + b)).toBe(htmlText(a) + htmlText(b));
      expect(htmlText(a)).toMatch(/^&[A-Za-z0-9]+;$/);
    }),
  );
});
