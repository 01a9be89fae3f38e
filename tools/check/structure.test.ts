import { expect, test } from 'vitest';
import { circles, crowdedFolders, MOST_FILES } from './structure.ts';

function circlesOf(sources: Record<string, string>): string[] {
  return circles(Object.keys(sources), (file) => sources[file] ?? '');
}

test('files that import each other are a circle, over other files and by types alone too', () => {
  expect(
    circlesOf({
      'src/a/one.ts': `import { two } from './two.ts';`,
      'src/a/two.ts': `import type { Three } from '../b/three.ts';`,
      'src/b/three.ts': `export { one } from '../a/one.ts';`,
      'src/b/four.ts': `import { one } from '../a/one.ts';`,
    }),
  ).toEqual(['circle of imports: src/a/one.ts, src/a/two.ts, src/b/three.ts']);
});

test('each of several circles is named', () => {
  const pair = (folder: string) => ({
    [`src/${folder}/one.ts`]: `import { two } from './two.ts';`,
    [`src/${folder}/two.ts`]: `import { one } from './one.ts';`,
  });
  expect(circlesOf({ ...pair('a'), ...pair('b') })).toHaveLength(2);
});

test('files that import one way are no circle, nor is a test that imports its source', () => {
  expect(
    circlesOf({
      'src/a/one.ts': `import { two } from './two.ts';\nimport { three } from './three.ts';`,
      'src/a/two.ts': `import { three } from './three.ts';`,
      'src/a/three.ts': `import { readFileSync } from 'node:fs';`,
      'src/a/three.test.ts': `import { one } from './one.ts';`,
    }),
  ).toEqual([]);
});

test('a folder with too many source files is named; its tests and sub-folders do not count', () => {
  const files = (folder: string, count: number, ending = '.ts') =>
    Array.from({ length: count }, (_, i) => `${folder}/file-${i}${ending}`);
  expect(
    crowdedFolders([
      ...files('src/full', MOST_FILES),
      ...files('src/full', MOST_FILES, '.test.ts'),
      ...files('src/full/below', MOST_FILES),
      ...files('src/crowded', MOST_FILES + 1),
      ...files('tools/any', MOST_FILES + 1),
    ]),
  ).toEqual([`src/crowded: ${MOST_FILES + 1} source files, at most ${MOST_FILES}`]);
});
