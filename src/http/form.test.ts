import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFields, escapeForm } from './form.ts';

describe('a form value', () => {
  test('is escaped in a form that a parser reads back, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(new URLSearchParams(`x=${escapeForm(text)}`).get('x')).toBe(text);
      }),
    );
  });

  test('may be bytes, which a parser reads back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string({ unit: 'binary' }), (bytes, text) => {
        const form = encodeFields([
          ['a[0]', bytes],
          ['b', text.toWellFormed()],
        ]);

        expect(form).toMatch(/^a%5B0%5D=[\w.+%-]*&b=[\w.+%-]*$/);
        const value = form.slice('a%5B0%5D='.length, form.indexOf('&')).replaceAll('+', '%20');
        expect(Buffer.from(unescape(value), 'latin1')).toEqual(Buffer.from(bytes));
        expect(new URLSearchParams(form).get('b')).toBe(text.toWellFormed());
      }),
    );
  });

  test('with a lone surrogate is escaped with the replacement character', () => {
    expect(escapeForm('a\ud800b')).toBe('a%EF%BF%BDb');
  });
});
