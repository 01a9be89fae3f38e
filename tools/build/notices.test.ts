import { expect, test } from 'vitest';
import type { BundledPackage } from './bundled-packages.ts';
import { isLicenseFile, notices } from './notices.ts';

function part(name: string, license?: string): BundledPackage {
  return { name, version: '1.0.0', license, folder: `node_modules/${name}`, integrity: undefined };
}

test('every license file of a package is in it, under the name of the package', () => {
  const text = notices('operator', [part('a', 'MIT'), part('b', 'ISC')], (folder) =>
    folder === 'node_modules/a'
      ? [
          { name: 'LICENSE', text: 'Permission is granted\r\nto all.\n' },
          { name: 'NOTICE', text: 'Keep this.' },
        ]
      : [{ name: 'LICENSE', text: 'As you like.' }],
  );
  const [, a, b] = text.split(/^-+\n/m);
  expect(a).toBe('a 1.0.0\nLicense: MIT.\n\nPermission is granted\nto all.\n\nKeep this.\n');
  expect(b).toBe('b 1.0.0\nLicense: ISC.\n\nAs you like.\n');
});

test('a package without a license file, or that states no license, is not left out', () => {
  expect(notices('operator', [part('a', 'Unlicense')], () => [])).toContain(
    'a 1.0.0\nLicense: Unlicense.\n\nThe package has no license file.\n',
  );
  expect(notices('operator', [part('a')], () => [])).toContain('License: none is stated.');
});

test.each(['LICENSE', 'license.md', 'LICENCE', 'COPYING', 'NOTICE.txt', 'LICENSE-MIT'])(
  '%s is a license file',
  (name) => {
    expect(isLicenseFile(name)).toBe(true);
  },
);

test.each(['README.md', 'license.js', 'licenses', 'notice.d.ts', 'package.json'])(
  '%s is no license file',
  (name) => {
    expect(isLicenseFile(name)).toBe(false);
  },
);
