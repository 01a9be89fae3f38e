import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectLinear, runsOf } from '../../test/support/scaling.ts';
import { holds, replaceEnclosed, trimEndOf, trimOf } from './text.ts';

const texts = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '=', '<', '>', '-') });

test('a text is cut at its ends as regular expressions would cut it', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(trimEndOf(text, '=-')).toBe(text.replace(/[=-]+$/, ''));
      expect(trimOf(text, ' \n')).toBe(text.replaceAll(/^[ \n]+|[ \n]+$/g, ''));
    }),
  );
});

test('a part between two characters is replaced as a regular expression would replace it', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(replaceEnclosed(text, '<', '>', '*')).toBe(text.replaceAll(/<[^>]*>/g, '*'));
    }),
  );
});

test('a text is found in another one exactly if the engine finds it', () => {
  const long = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 3, maxLength: 9 });
  fc.assert(
    fc.property(long, long, fc.nat(3), (one, other, cut) => {
      // Long enough that the engine does not search.
      const part = one.repeat(300).slice(cut);
      for (const text of [part, `${one.repeat(200)}${other}${part}${other}`, one.repeat(299) + other, other])
        expect(holds(text, part)).toBe(text.includes(part));
    }),
  );
});

describe.each([
  ['cut at its end', (text: string) => trimEndOf(text, '=')],
  ['cut at both ends', (text: string) => trimOf(text, '=')],
  ['freed of what is enclosed', (text: string) => replaceEnclosed(text, '=', '>', '')],
])('a text is %s in linear time', (_, read) => {
  test.each<[string, (size: number) => string]>([
    ['and nothing else', (size) => '='.repeat(size)],
    ['again and again between other text', runsOf('=')],
  ])('when it has the unwanted characters %s', (_name, makeText) => {
    expectLinear(read, makeText, { to: 1024 * 1024 });
  });
});

test('a text is searched for in another one in linear time', () => {
  expectLinear((text) => holds(text, 'a'.repeat(text.length / 8)), nearMisses, { to: 1024 * 1024 });
});

/** A text that almost contains a run of `a` as long as an eighth of it. */
function nearMisses(size: number): string {
  return `${'a'.repeat(size / 8 - 1)}b`.repeat(8);
}
