import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonArrayError, JsonArrayReader } from './json-array-reader.ts';

/** Reads chunks to the end and returns all elements. */
function readAll(chunks: readonly Uint8Array[]): unknown[] {
  const elements: unknown[] = [];
  const reader = new JsonArrayReader((run) => elements.push(...run));
  for (const chunk of chunks) reader.write(Buffer.from(chunk));
  reader.end();
  return elements;
}

/** Cuts bytes at the given positions. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  let start = 0;
  return [...ends, bytes.length].map((end) => {
    const part = bytes.subarray(start, end);
    start = end;
    return part;
  });
}

describe('the reader of JSON arrays', () => {
  test('returns the same as JSON.parse, however the bytes are cut', () => {
    const element = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(
        fc.array(element),
        fc.array(fc.nat(5000)),
        fc.constantFrom(undefined, 1, '\r\n\t'),
        (list, places, space) => {
          const bytes = Buffer.from(JSON.stringify(list, undefined, space));

          expect(readAll(cut(bytes, places))).toEqual(JSON.parse(bytes.toString()));
        },
      ),
    );
  });

  test('accepts exactly the arrays of objects that JSON.parse accepts', () => {
    const piece = fc.constantFrom(...'{ } [ ] , : " \\ 1 "a" {"a":1} {} null'.split(' '), ' ');
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat(50)), (pieces, places) => {
        const text = pieces.join('');

        expect(outcome(() => readAll(cut(Buffer.from(text), places)))).toEqual(
          outcome(() => parseObjects(text)),
        );
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['an empty list', '[]', []],
    ['surrounding space', ' \n[ ] \r\n', []],
    ['a byte order mark', '\ufeff[{"a":1}]', [{ a: 1 }]],
    ['a bracket in a string', '[{"a":"]}"},{"b":"\\"]"}]', [{ a: ']}' }, { b: '"]' }]],
  ])('accepts %s', (_name, text, elements) => {
    expect(readAll([Buffer.from(text)])).toEqual(elements);
  });

  test.each([
    ['nothing', ''],
    ['null', 'null'],
    ['an object', '{"code":"x"}'],
    ['a web page', '<html>'],
    ['an array of arrays', '[[]]'],
    ['an array of numbers', '[1]'],
    ['a missing end', '[{"a":1}'],
    ['a cut element', '[{"a":1},{"a"'],
    ['a comma at the end', '[{"a":1},]'],
    ['a comma at the start', '[,{"a":1}]'],
    ['a missing comma', '[{"a":1}{"a":1}]'],
    ['more bytes after the end', '[] []'],
    ['a wrong bracket', '[{"a":1]]'],
    ['half a byte order mark', '\xef[]'],
    ['two byte order marks', '\ufeff\ufeff[]'],
  ])('refuses %s', (_name, text) => {
    expect(() => readAll([Buffer.from(text)])).toThrow(JsonArrayError);
  });

  test('refuses the rest of a byte order mark within the array', () => {
    expect(() => readAll([Buffer.from([0x5b, 0xbb, 0xbf, 0x5d])])).toThrow(/^unexpected byte at 1$/);
  });

  test('refuses an endless element before it fills the memory', () => {
    const reader = new JsonArrayReader(() => {});
    const chunk = Buffer.alloc(16 * 1024, 'a');
    reader.write(Buffer.from('[{"a":"'));

    expect(() => {
      for (let at = 0; at < 8; at += 1) reader.write(chunk);
    }).toThrow(/longer than 65536 bytes/);
  });

  test('quotes nothing of an input that it refuses', () => {
    expect(() => readAll([Buffer.from('[{"secret":hunter2}]')])).toThrow(
      /^an element is not JSON, near byte 0$/,
    );
  });

  test('passes on errors of the consumer', () => {
    const reader = new JsonArrayReader(() => {
      throw new RangeError('enough');
    });

    expect(() => reader.write(Buffer.from('[{}]'))).toThrow(RangeError);
  });
});

/** The result of `read`, or `undefined` if it refuses the input. */
function outcome(read: () => unknown[]): unknown[] | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonArrayError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Parses an array of objects at once. */
function parseObjects(text: string): unknown[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list) || !list.every(isPlainObject)) throw new SyntaxError('not an array of objects');
  return list;
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
