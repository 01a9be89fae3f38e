import { createHash } from 'node:crypto';
import type { BundledPackage } from './bundled-packages.ts';

/** What the bill is of. */
export interface Product {
  name: string;
  version: string;
  license: string;
}

/** One package of an SPDX 2.3 document, as far as it is written here. */
interface SpdxPackage {
  name: string;
  SPDXID: string;
  versionInfo: string;
  downloadLocation: string;
  filesAnalyzed: false;
  licenseConcluded: string;
  licenseDeclared: string;
  copyrightText: string;
  primaryPackagePurpose: 'APPLICATION' | 'LIBRARY';
  checksums?: { algorithm: string; checksumValue: string }[];
  externalRefs: { referenceCategory: string; referenceType: string; referenceLocator: string }[];
}

/** An SPDX 2.3 document. */
export interface SpdxDocument {
  spdxVersion: 'SPDX-2.3';
  dataLicense: 'CC0-1.0';
  SPDXID: 'SPDXRef-DOCUMENT';
  name: string;
  documentNamespace: string;
  creationInfo: { created: string; creators: string[] };
  packages: SpdxPackage[];
  relationships: { spdxElementId: string; relationshipType: string; relatedSpdxElement: string }[];
}

const PRODUCT_ID = 'SPDXRef-Product';
const UNKNOWN = 'NOASSERTION';

/** The bill of materials of a bundle as an SPDX 2.3 document: the product, which contains the packages. */
export function billOfMaterials(
  product: Product,
  packages: readonly BundledPackage[],
  created: Date,
): SpdxDocument {
  const ids = new Set<string>();
  const parts = packages.map((each) => packageEntry(each, uniqueId(each, ids)));
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${product.name}-${product.version}`,
    // Two documents must not share one. With the content's digest the same build has the same one.
    documentNamespace: `https://tinycert-operator.io/spdx/${product.name}-${product.version}-${digest([created, parts])}`,
    creationInfo: {
      // The format knows no fractions of a second.
      created: created.toISOString().replace(/\.\d+Z$/, 'Z'),
      creators: [`Tool: ${product.name}-build-${product.version}`],
    },
    packages: [
      {
        ...common(product.name, product.version, `pkg:generic/${product.name}@${product.version}`),
        SPDXID: PRODUCT_ID,
        downloadLocation: UNKNOWN,
        licenseDeclared: product.license,
        primaryPackagePurpose: 'APPLICATION',
      },
      ...parts,
    ],
    relationships: [
      relationship('SPDXRef-DOCUMENT', 'DESCRIBES', PRODUCT_ID),
      ...parts.map(({ SPDXID }) => relationship(PRODUCT_ID, 'CONTAINS', SPDXID)),
    ],
  };
}

/** The package URL of a package of npm; the `@` of a scope is encoded. */
export function packageUrl(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`;
}

function packageEntry({ name, version, license, integrity }: BundledPackage, SPDXID: string): SpdxPackage {
  const checksums = checksumsOf(integrity);
  return {
    ...common(name, version, packageUrl(name, version)),
    SPDXID,
    downloadLocation: `https://registry.npmjs.org/${name}/-/${name.split('/').at(-1)}-${version}.tgz`,
    licenseDeclared: license ?? UNKNOWN,
    primaryPackagePurpose: 'LIBRARY',
    ...(checksums.length > 0 ? { checksums } : {}),
  };
}

function common(
  name: string,
  version: string,
  url: string,
): Omit<SpdxPackage, 'SPDXID' | 'downloadLocation' | 'licenseDeclared' | 'primaryPackagePurpose'> {
  return {
    name,
    versionInfo: version,
    filesAnalyzed: false,
    licenseConcluded: UNKNOWN,
    copyrightText: UNKNOWN,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: url }],
  };
}

/** From `sha512-BASE64`, of which there may be several, to SPDX's hexadecimal. */
function checksumsOf(integrity = ''): { algorithm: string; checksumValue: string }[] {
  return integrity
    .split(' ')
    .filter((each) => each !== '')
    .map((each) => {
      const [algorithm = '', value = ''] = each.split('-', 2);
      return {
        algorithm: algorithm.toUpperCase(),
        checksumValue: Buffer.from(value, 'base64').toString('hex'),
      };
    });
}

/** An identifier may have letters, digits, dots and hyphens only, so two names can become the same. */
function uniqueId({ name, version }: BundledPackage, taken: Set<string>): string {
  const base = `SPDXRef-Package-${`${name}-${version}`.replaceAll(/[^\w.-]|_/g, '-')}`;
  let id = base;
  for (let count = 2; taken.has(id); count++) id = `${base}-${count}`;
  taken.add(id);
  return id;
}

function relationship(spdxElementId: string, relationshipType: string, relatedSpdxElement: string) {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

function digest(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}
