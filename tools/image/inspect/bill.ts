import { posix } from 'node:path';
import { packageFolder } from '../../build/bundled-packages.ts';
import type { SpdxDocument } from '../../build/sbom.ts';
import type { Image } from './archive.ts';

/**
 * Whether the bill of materials in the image is that of the bundle beside it. The witness is the source maps, which name every file that
 * the code is from. `versionOf` returns the version of the package in a folder of node_modules.
 */
export function billComplaints(files: Image['files'], versionOf: (folder: string) => string): string[] {
  const bill = files.get('app/operator.spdx.json');
  if (bill === undefined) return ['The image has no bill of materials at /app/operator.spdx.json.'];
  const [, ...parts] = (JSON.parse(bill.content.toString('utf8')) as SpdxDocument).packages;
  const listed = new Set(parts.map(({ name, versionInfo }) => `${name}@${versionInfo}`));
  const bundled = new Set(
    [...mappedFolders(files)].map(
      (folder) => `${folder.replace(/^.*node_modules\//, '')}@${versionOf(folder)}`,
    ),
  );
  return [
    ...[...bundled].filter((each) => !listed.has(each)).map((each) => `The bill of materials lacks ${each}.`),
    ...[...listed]
      .filter((each) => !bundled.has(each))
      .map((each) => `The bill of materials has ${each}, of which nothing is in the bundle.`),
  ];
}

/** The folders of the packages that the code in the image is from. */
function mappedFolders(files: Image['files']): Set<string> {
  const folders = new Set<string>();
  for (const { path, content } of files.values()) {
    if (!path.startsWith('app/') || !path.endsWith('.js.map')) continue;
    const { sources } = JSON.parse(content.toString('utf8')) as { sources: string[] };
    for (const source of sources) {
      // The maps were made in dist, a folder below the sources.
      const folder = packageFolder(posix.join('dist', posix.dirname(path.slice('app/'.length)), source));
      if (folder !== undefined) folders.add(folder);
    }
  }
  return folders;
}
