import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manifestFiles } from './manifests.ts';
import { optionsOf, valuesSchema } from './options.ts';
import { between, chartFile, optionsTable, valuesFile } from './texts.ts';

/** The repository's folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Folders in which every file is generated. */
const OWN_FOLDERS = ['deploy/helm/files', 'deploy/kustomize'];

/** What has to be written, by path in the repository; `undefined` for a file that has to go. */
export type Stale = Map<string, string | undefined>;

/** What is generated for the chart, before it can be rendered: values.yaml, the CRDs, the versions, and the table of the docs. */
function chartTexts(): Map<string, string> {
  const options = optionsOf(valuesSchema());
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const crds = globSync('crds/*.yaml', { cwd: ROOT }).toSorted();
  return new Map([
    ['deploy/helm/values.yaml', valuesFile(options)],
    ['deploy/helm/Chart.yaml', chartFile(read('deploy/helm/Chart.yaml'), version)],
    ['docs/install.md', between(read('docs/install.md'), 'values', optionsTable(options))],
    ...crds.map((path): [string, string] => [`deploy/helm/files/crds/${basename(path)}`, read(path)]),
  ]);
}

/** What differs from the chart's sources. Without Helm, the manifests that are made from the chart are not compared. */
export async function staleFiles(helm: string | undefined): Promise<Stale> {
  const wanted: Stale = chartTexts();
  const folders = [...OWN_FOLDERS];
  if (helm === undefined) folders.pop();
  else for (const [path, text] of await manifestFiles(helm)) wanted.set(path, text);
  for (const folder of folders)
    for (const path of globSync(`${folder}/**/*.yaml`, { cwd: ROOT }))
      if (!wanted.has(path)) wanted.set(path, undefined);
  return new Map([...wanted].filter(([path, text]) => text !== (exists(path) ? read(path) : undefined)));
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}
