import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { BundledPackage } from './bundled-packages.ts';
import { billOfMaterials, packageUrl } from './sbom.ts';

const PRODUCT = { name: 'operator', version: '1.2.3', license: 'Apache-2.0' };
const CREATED = new Date('2026-01-02T03:04:05.678Z');

function part(name: string, version = '1.0.0', rest: Partial<BundledPackage> = {}): BundledPackage {
  return { name, version, license: 'MIT', folder: `node_modules/${name}`, integrity: undefined, ...rest };
}

function bill(...packages: readonly BundledPackage[]) {
  return billOfMaterials(PRODUCT, packages, CREATED);
}

test('the document describes the product, and the product contains each package', () => {
  const { packages, relationships } = bill(part('a'), part('@scope/b', '2.0.0'));
  expect(packages.map(({ name, versionInfo }) => `${name} ${versionInfo}`)).toEqual([
    'operator 1.2.3',
    'a 1.0.0',
    '@scope/b 2.0.0',
  ]);
  const [product, ...parts] = packages.map(({ SPDXID }) => SPDXID);
  expect(relationships).toEqual([
    { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: product },
    ...parts.map((id) => ({
      spdxElementId: product,
      relationshipType: 'CONTAINS',
      relatedSpdxElement: id,
    })),
  ]);
});

test('a package has its package URL, its address and the hash of its archive in hexadecimal', () => {
  const sha512 = createHash('sha512').update('archive');
  const integrity = `sha512-${sha512.copy().digest('base64')}`;
  const [, entry] = bill(part('@scope/b', '2.0.0', { integrity })).packages;
  expect(entry).toMatchObject({
    downloadLocation: 'https://registry.npmjs.org/@scope/b/-/b-2.0.0.tgz',
    licenseDeclared: 'MIT',
    checksums: [{ algorithm: 'SHA512', checksumValue: sha512.digest('hex') }],
    externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:npm/%40scope/b@2.0.0' }],
  });
});

test('a version with build metadata is encoded in its package URL', () => {
  expect(packageUrl('a', '1.0.0-rc.1+build')).toBe('pkg:npm/a@1.0.0-rc.1%2Bbuild');
});

test('what is not known is said to be unknown', () => {
  const [, entry] = bill(part('a', '1.0.0', { license: undefined })).packages;
  expect(entry?.licenseDeclared).toBe('NOASSERTION');
  expect(entry).not.toHaveProperty('checksums');
});

test('names that become the same identifier get different ones, of the characters that SPDX allows', () => {
  const ids = bill(part('@a/b-c'), part('@a-b/c'), part('a_b'), part('a.b'), part('a-b')).packages.map(
    ({ SPDXID }) => SPDXID,
  );
  expect(new Set(ids).size).toBe(6);
  for (const id of ids) expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
});

test('the same content is the same document, and any other has a namespace of its own', () => {
  expect(bill(part('a'))).toEqual(bill(part('a')));
  expect(bill(part('a')).creationInfo.created).toBe('2026-01-02T03:04:05Z');
  expect(bill(part('a')).documentNamespace).not.toBe(bill(part('a', '1.0.1')).documentNamespace);
});
