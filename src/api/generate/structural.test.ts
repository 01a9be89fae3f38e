import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { withRules } from '../schema/rules.ts';
import { SchemaError } from './guard.ts';
import { structuralSchema } from './structural.ts';

const text = () => z.string().max(9).describe('A text.');
const field = (schema: z.ZodType) => z.object({ field: schema });
const of = (schema: z.ZodType) => structuralSchema(field(schema), 'Kind.spec').properties?.['field'];

describe('a structural schema', () => {
  test('has rules, defaults and descriptions where they belong', () => {
    const rule = { rule: "self != ''", message: 'must not be empty', holds: (value: string) => value !== '' };

    expect(of(withRules(text(), rule).default('a'))).toEqual({
      type: 'string',
      description: 'A text.',
      maxLength: 9,
      default: 'a',
      'x-kubernetes-validations': [{ rule: "self != ''", message: 'must not be empty' }],
    });
  });

  test('has the rules of optional fields and of items', () => {
    const rule = { rule: 'r', message: 'm', messageExpression: 'e', fieldPath: '.x', holds: () => true };
    const { holds: _, ...cel } = rule;
    const list = z.array(withRules(text(), rule)).max(3).describe('A list.');

    expect(of(list.exactOptional())).toMatchObject({
      type: 'array',
      maxItems: 3,
      items: { type: 'string', 'x-kubernetes-validations': [cel] },
    });
  });

  test('bounds integers by their format alone', () => {
    expect(of(z.int().meta({ description: 'A number.', format: 'int64' }))).toEqual({
      type: 'integer',
      format: 'int64',
      description: 'A number.',
    });
  });

  test('requires the fields that have no default and are not optional', () => {
    const schema = z.object({ a: text(), b: text().default('x'), c: text().exactOptional() });

    expect(structuralSchema(schema, 'Kind.spec')['required']).toEqual(['a']);
  });

  test('has the values of maps', () => {
    expect(of(z.record(text(), text()).describe('Labels.'))).toMatchObject({
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 9 },
    });
  });
});

describe('a schema that a CRD cannot express is refused with its path', () => {
  test.each([
    ['a refinement', text().refine((value) => value !== ''), 'Kind.spec.field'],
    ['a check that zod drops', text().superRefine(() => undefined), 'Kind.spec.field'],
    ['a regular expression', text().regex(/^a/), 'Kind.spec.field'],
    ['a least length', text().min(1), 'Kind.spec.field'],
    ['a transform', text().transform(Number).describe('x'), 'Kind.spec.field'],
    ['a pipe', text().pipe(z.string()).describe('x'), 'Kind.spec.field'],
    ['a union', z.union([text(), z.int()]).describe('x'), 'Kind.spec.field'],
    ['something nullable', text().nullable().describe('x'), 'Kind.spec.field'],
    ['an id', text().meta({ id: 'Unused', description: 'x' }), 'Kind.spec.field'],
    ['a strict object', z.strictObject({ a: text() }).describe('x'), 'Kind.spec.field'],
    ['a loose object', z.looseObject({ a: text() }).describe('x'), 'Kind.spec.field'],
    ['anything', z.any().describe('x'), 'Kind.spec.field'],
    ['a date', z.date().describe('x'), 'Kind.spec.field'],
    ['a tuple', z.tuple([text()]).describe('x'), 'Kind.spec.field'],
    ['a coercion', z.coerce.string().max(9).describe('x'), 'Kind.spec.field'],
    ['read-only', text().readonly().describe('x'), 'Kind.spec.field'],
    ['no description', z.string().max(9), 'Kind.spec.field'],
    ['no description of items', z.array(z.string().max(9)).max(9).describe('x'), 'Kind.spec.field[]'],
    ['a string without maxLength', z.string().describe('x'), 'Kind.spec.field'],
    ['items without maxLength', z.array(z.string().describe('x')).max(9).describe('x'), 'Kind.spec.field[]'],
    ['an array without maxItems', z.array(text()).describe('x'), 'Kind.spec.field'],
    ['values without maxLength', z.record(text(), z.string()).describe('x'), 'Kind.spec.field{}'],
    ['an unknown keyword', text().meta({ readOnly: true }), 'Kind.spec.field'],
    ['a refinement deep down', field(text().refine(() => true)).describe('x'), 'Kind.spec.field.field'],
  ])('%s', (_, schema, path) => {
    expect(() => of(schema)).toThrow(SchemaError);
    expect(() => of(schema)).toThrow(`${path}: `);
  });
});
