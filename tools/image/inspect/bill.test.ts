import { expect, test } from 'vitest';
import { billOfMaterials } from '../../build/sbom.ts';
import { readArchive } from './archive.ts';
import { billComplaints } from './bill.ts';
import { testArchive, testTar } from './test-tar.ts';

const VERSIONS: Record<string, string> = {
  'node_modules/a': '1.0.0',
  'node_modules/@scope/b/node_modules/a': '0.9.0',
};

/** An image with code from these sources and a bill of these packages. */
function complaints(sources: readonly string[], listed: readonly [string, string][]): string[] {
  const packages = listed.map(([name, version]) => ({
    name,
    version,
    license: 'MIT',
    folder: '',
    integrity: undefined,
  }));
  const bill = billOfMaterials({ name: 'x', version: '1', license: 'MIT' }, packages, new Date(0));
  const { files } = readArchive(
    testArchive(
      { config: {} },
      testTar([
        { path: 'app/operator.spdx.json', content: JSON.stringify(bill) },
        { path: 'app/operator.js.map', content: JSON.stringify({ sources: ['../src/main.ts'] }) },
        { path: 'app/chunks/main.js.map', content: JSON.stringify({ sources }) },
      ]),
    ),
  );
  return billComplaints(files, (folder) => VERSIONS[folder] ?? 'unknown');
}

const SOURCES = [
  '../../src/a.ts',
  '../../node_modules/a/index.js',
  '../../node_modules/@scope/b/node_modules/a/index.js',
];

test('a bill that lists what the maps name is right, in every version', () => {
  expect(
    complaints(SOURCES, [
      ['a', '1.0.0'],
      ['a', '0.9.0'],
    ]),
  ).toEqual([]);
});

test('a package that it lacks is named, and one that it has too many', () => {
  expect(
    complaints(SOURCES, [
      ['a', '1.0.0'],
      ['c', '3.0.0'],
    ]),
  ).toEqual([
    'The bill of materials lacks a@0.9.0.',
    'The bill of materials has c@3.0.0, of which nothing is in the bundle.',
  ]);
});

test('an image without a bill is not right', () => {
  expect(billComplaints(new Map(), () => '')).toHaveLength(1);
});
