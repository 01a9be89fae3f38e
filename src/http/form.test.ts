import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeForm } from './form.ts';

describe('a form value', () => {
  test('is escaped so that a form parser gives it back, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(new URLSearchParams(`x=${escapeForm(text)}`).get('x')).toBe(text);
      }),
    );
  });

  test('has a lone surrogate escaped as the replacement character', () => {
    expect(escapeForm('a\ud800b')).toBe('a%EF%BF%BDb');
  });
});
