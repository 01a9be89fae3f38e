import { expect, test } from 'vitest';
import { readArchive } from './archive.ts';
import { sizesOf, sizeTables } from './sizes.ts';
import { testArchive, testTar } from './test-tar.ts';

const IMAGE = readArchive(
  testArchive(
    { config: {} },
    testTar([
      { path: 'nodejs/bin/node', content: 'n'.repeat(5000) },
      { path: 'lib/x86_64-linux-gnu/libc.so.6', content: 'c'.repeat(700) },
      { path: 'usr/lib/os-release', content: 'o' },
      { path: 'etc/passwd', content: 'p'.repeat(60) },
    ]),
    testTar([
      { path: 'app/operator.js', content: 'x'.repeat(100) },
      { path: 'app/chunks/main-ABC.js', content: 'x'.repeat(200) },
      { path: 'app/chunks/client-node-ABC.js', content: 'x'.repeat(90) },
      { path: 'app/chunks/main-ABC.js.map', content: 'x'.repeat(80) },
      { path: 'app/operator.spdx.json', content: 'x'.repeat(70) },
      { path: 'app/link', type: '2', target: 'operator.js' },
    ]),
  ),
);

test('every byte counts once, for the first purpose that fits', () => {
  expect(sizesOf(IMAGE.files)).toEqual([
    { purpose: 'Node', bytes: 5000 },
    { purpose: 'C and C++ libraries', bytes: 701 },
    { purpose: 'the operator: code for every start', bytes: 300 },
    { purpose: 'the operator: code for OIDC in kubeconfigs', bytes: 90 },
    { purpose: 'the operator: source maps', bytes: 80 },
    { purpose: 'bill of materials and licenses', bytes: 70 },
    { purpose: 'the rest of the base image', bytes: 60 },
  ]);
});

test('the last layer is said to be the operator', () => {
  const lines = sizeTables(IMAGE).split('\n');
  expect(lines.filter((line) => /^\| \d/.test(line)).map((line) => line.split(' | ')[0])).toEqual([
    '| 1, of the base image',
    '| 2, the operator',
  ]);
});
