import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/guarantees.md'), 'utf8').replaceAll(/\s+/g, ' ');

/** Tests as the document names them: a file in backticks, then names in quotes. */
const named = [...text.matchAll(/`([\w./-]+\.test\.ts)`:((?: "[^"]+",?)+)/g)].flatMap(
  ([, file = '', names = '']) => [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => ({ file, name })),
);

test.each(named)('docs/guarantees.md: $file has the test "$name"', ({ file, name }) => {
  const source = readFileSync(join(root, file), 'utf8');
  const literals = ["'", '`', '"'].map((quote) => `${quote}${name}${quote}`);

  expect(literals.some((literal) => source.includes(literal))).toBe(true);
});

test('docs/guarantees.md names tests for every guarantee, and no file that is not there', () => {
  const sections = readFileSync(join(root, 'docs/guarantees.md'), 'utf8')
    .split(/^## (?=\d)/m)
    .slice(1);
  expect(sections).toHaveLength(10);
  for (const section of sections) expect(section).toMatch(/\.test\.ts`:/);
  const files = [...text.matchAll(/`((?:src|test|docs|tools)\/[\w./-]+\.(?:ts|md))`/g)].map(
    ([, file = '']) => file,
  );
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
