import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from './lines.ts';

function split(chunks: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  return lines;
}

test('lines are complete however the bytes are cut, also inside a character', () => {
  const line = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 20 })
    .filter((text) => !text.includes('\n') && text.isWellFormed());
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(300)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((end, i) => bytes.subarray(places[i], end));

      expect(split(chunks)).toEqual(lines);
    }),
  );
});

test('a line without its newline is held back, and empty lines are skipped', () => {
  expect(split([Buffer.from('a\n\n\nb')])).toEqual(['a']);
});

test('an endless line is refused before it fills the memory', () => {
  const splitter = new LineSplitter(() => undefined);
  const chunk = Buffer.alloc(2 ** 20, 'x');

  expect(() => {
    for (let i = 0; i < 17; i += 1) splitter.push(chunk);
  }).toThrow(RangeError);
});
