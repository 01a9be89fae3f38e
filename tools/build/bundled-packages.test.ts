import { isBuiltin } from 'node:module';
import { expect, test } from 'vitest';
import { bundledPackages, missingAtRunTime, packageFolder } from './bundled-packages.ts';

const MANIFESTS: Record<string, object> = {
  'node_modules/a': { name: 'a', version: '1.0.0', license: 'MIT' },
  'node_modules/b': { name: 'b', version: '2.0.0', license: 'Apache-2.0' },
  'node_modules/b/node_modules/a': { name: 'a', version: '0.9.0', license: 'ISC' },
  'node_modules/c/node_modules/a': { name: 'a', version: '0.9.0', license: 'ISC' },
  'node_modules/@scope/d': { name: '@scope/d', version: '3.0.0', license: '(MIT OR CC0-1.0)' },
};
const LOCK = { packages: { 'node_modules/a': { integrity: 'sha512-AAAA' } } };

/** The outputs of a build: each a list of files with the bytes that are left of them. */
function outputs(...files: readonly Record<string, number>[]) {
  return {
    outputs: Object.fromEntries(
      files.map((each, index) => [
        `dist/${index}.js`,
        {
          bytes: 1,
          exports: [],
          imports: [],
          inputs: Object.fromEntries(
            Object.entries(each).map(([file, bytesInOutput]) => [file, { bytesInOutput }]),
          ),
        },
      ]),
    ),
  };
}

function packages(...files: readonly Record<string, number>[]) {
  return bundledPackages(outputs(...files), LOCK, (folder) => MANIFESTS[folder] ?? {});
}

function licenseOf(manifest: object): string | undefined {
  const built = outputs({ 'node_modules/x/index.js': 1 });
  return bundledPackages(built, LOCK, () => ({ name: 'x', version: '1.0.0', ...manifest }))[0]?.license;
}

test('a package counts if something of it is in any output, with its license and its hash', () => {
  expect(packages({ 'src/main.ts': 5 }, { 'node_modules/a/lib/index.js': 3, 'src/x.ts': 1 })).toEqual([
    { name: 'a', version: '1.0.0', license: 'MIT', folder: 'node_modules/a', integrity: 'sha512-AAAA' },
  ]);
});

test('a package that was read and of which nothing is left does not count', () => {
  expect(packages({ 'node_modules/a/index.js': 0, 'src/main.ts': 5 })).toEqual([]);
});

test('a package that is there in two versions counts twice, and one in the same version in two places once', () => {
  const found = packages({
    'node_modules/a/index.js': 1,
    'node_modules/b/node_modules/a/index.js': 1,
    'node_modules/c/node_modules/a/index.js': 1,
    'node_modules/@scope/d/index.js': 1,
  });
  expect(found.map(({ name, version }) => `${name}@${version}`)).toEqual([
    '@scope/d@3.0.0',
    'a@0.9.0',
    'a@1.0.0',
  ]);
});

test('a folder with a package.json of its own inside of a package belongs to the package', () => {
  expect(packageFolder('node_modules/a/v4/core/index.js')).toBe('node_modules/a');
  expect(packageFolder('node_modules/@scope/d/v4/index.js')).toBe('node_modules/@scope/d');
  expect(packageFolder('node_modules/b/node_modules/@scope/d/x.js')).toBe(
    'node_modules/b/node_modules/@scope/d',
  );
  expect(packageFolder('src/main.ts')).toBeUndefined();
});

test('a license is read in each way in which packages write it', () => {
  expect(licenseOf({ license: 'BSD-3-Clause' })).toBe('BSD-3-Clause');
  expect(licenseOf({ license: { type: 'MIT', url: 'https://example.org' } })).toBe('MIT');
  expect(licenseOf({ licenses: [{ type: 'MIT' }, { type: 'Apache-2.0' }] })).toBe('(MIT) OR (Apache-2.0)');
  expect(licenseOf({ license: 'GPL-2.0-only WITH Classpath-exception-2.0' })).toContain(' WITH ');
});

test('what is no license expression counts as none', () => {
  expect(licenseOf({})).toBeUndefined();
  expect(licenseOf({ license: 'UNLICENSED' })).toBeUndefined();
  expect(licenseOf({ license: 'SEE LICENSE IN LICENSE.md' })).toBeUndefined();
});

test('a package without a version cannot be named, and the error says where it is', () => {
  const built = outputs({ 'node_modules/x/index.js': 1 });
  expect(() => bundledPackages(built, LOCK, () => ({ name: 'x' }))).toThrow(
    'node_modules/x/package.json has no version',
  );
});

test('an import that neither Node nor the bundle has is missing, unless packages do without it', () => {
  const imports = ['node:fs', 'fs/promises', 'bufferutil', 'left-pad', './chunks/a.js'].map((path) => ({
    path,
    kind: 'import-statement' as const,
    external: path !== './chunks/a.js',
  }));
  const built = { outputs: { 'dist/a.js': { bytes: 1, inputs: {}, exports: [], imports } } };
  expect(missingAtRunTime(built, isBuiltin)).toEqual(['left-pad']);
});
