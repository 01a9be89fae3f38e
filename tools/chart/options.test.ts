import { expect, test } from 'vitest';
import { optionsOf, type Schema } from './options.ts';
import { between, optionsTable, valuesFile } from './texts.ts';

const SCHEMA: Schema = {
  additionalProperties: false,
  properties: {
    replicas: { description: 'Pods.', default: 1 },
    log: {
      additionalProperties: false,
      properties: {
        level: { description: 'The level, a|b.', default: 'info' },
        tags: { description: 'More.', default: { a: 'b' } },
      },
    },
  },
};

test('options become a values file with their descriptions, and a table', () => {
  const options = optionsOf(SCHEMA);
  expect(valuesFile(options))
    .toBe(`# Generated from values.schema.json by "npm run generate"; edits here are lost.

# Pods.
replicas: 1

log:
  # The level, a|b.
  level: info
  # More.
  tags:
    a: b
`);
  expect(optionsTable(options).split('\n').slice(2)).toEqual([
    '| `replicas` | `1` | Pods. |',
    '| `log.level` | `"info"` | The level, a\\|b. |',
    '| `log.tags` | `{"a":"b"}` | More. |',
  ]);
});

test.each<[what: string, schema: Schema, why: string]>([
  ['without a description', { default: 1 }, 'log.x lacks a description or a default.'],
  ['without a default', { description: 'X.' }, 'log.x lacks a description or a default.'],
  ['that is a map of options and takes any key', { properties: {} }, 'log.x takes unknown keys.'],
])('an option %s is refused', (_, option, why) => {
  const log = { additionalProperties: false, properties: { x: option } };
  expect(() => optionsOf({ additionalProperties: false, properties: { log } })).toThrow(why);
});

test('a text without its marks is not changed by guessing', () => {
  const text = 'a\n<!-- x -->\nold\n<!-- end of x -->\nb\n';
  expect(between(text, 'x', 'new')).toBe('a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n');
  expect(() => between(text, 'y', 'new')).toThrow('The marks of "y" are missing.');
});
