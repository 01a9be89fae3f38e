import type { Metafile } from 'esbuild';

/** A package of which something is in the bundle. */
export interface BundledPackage {
  name: string;
  version: string;
  /** An SPDX license expression; undefined if the package states none. */
  license: string | undefined;
  /** Its folder, such as `node_modules/a/node_modules/b`. */
  folder: string;
  /** The hash of its archive in the form of package-lock.json. */
  integrity: string | undefined;
}

/** What `package.json` of a package may say. */
interface Manifest {
  name?: unknown;
  version?: unknown;
  license?: unknown;
  licenses?: unknown;
}

/** The part of `package-lock.json` that is read. */
export interface Lock {
  packages: Readonly<Record<string, { integrity?: string } | undefined>>;
}

/** What packages look for and do without; the bundle asks for it at run time, in vain. */
export const OPTIONAL_MODULES: readonly string[] = ['bufferutil', 'supports-color', 'utf-8-validate'];

/**
 * The packages of which something is in one of the outputs, by name and version. What was read and then left out as unused does not
 * count. A package that is there twice in one version is one. `manifestOf` reads the package.json of a folder.
 */
export function bundledPackages(
  { outputs }: Pick<Metafile, 'outputs'>,
  lock: Lock,
  manifestOf: (folder: string) => Manifest,
): BundledPackage[] {
  const folders = new Set<string>();
  for (const { inputs } of Object.values(outputs))
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = packageFolder(file);
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder);
    }
  const packages = new Map<string, BundledPackage>();
  for (const folder of [...folders].toSorted()) {
    const manifest = manifestOf(folder);
    const name = textOf(manifest.name, 'name', folder);
    const version = textOf(manifest.version, 'version', folder);
    const key = `${name}@${version}`;
    if (!packages.has(key))
      packages.set(key, {
        name,
        version,
        license: licenseOf(manifest),
        folder,
        integrity: lock.packages[folder]?.integrity,
      });
  }
  return [...packages.values()].toSorted((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

/**
 * What the outputs import at run time and Node does not have, other than what packages do without. The image has no node_modules, so
 * such an import would fail there.
 */
export function missingAtRunTime(
  { outputs }: Pick<Metafile, 'outputs'>,
  isBuiltin: (module: string) => boolean,
): string[] {
  const external = Object.values(outputs).flatMap(({ imports }) =>
    imports.filter((each) => each.external === true).map(({ path }) => path),
  );
  return [...new Set(external)]
    .filter((module) => !isBuiltin(module) && !OPTIONAL_MODULES.includes(module))
    .toSorted();
}

/** The folder of the innermost package that a file belongs to; undefined for our own files. */
export function packageFolder(file: string): string | undefined {
  const marker = 'node_modules/';
  const at = file.lastIndexOf(marker);
  if (at === -1) return undefined;
  const [first = '', second = ''] = file.slice(at + marker.length).split('/');
  return file.slice(0, at + marker.length) + (first.startsWith('@') ? `${first}/${second}` : first);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function textOf(value: unknown, field: string, folder: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(
    `${folder}/package.json has no ${field}, so the bill of materials cannot name the package.`,
  );
}

/** `license` as it is written today, and the two ways of before. */
function licenseOf({ license, licenses }: Manifest): string | undefined {
  const stated = [license, ...(Array.isArray(licenses) ? (licenses as unknown[]) : [])]
    .map((each) => (isRecord(each) ? each['type'] : each))
    .filter((each) => typeof each === 'string' && isExpression(each));
  return stated.length > 1 ? stated.map((each) => `(${String(each)})`).join(' OR ') : stated[0]?.toString();
}

/** Whether it can be an SPDX expression: not `UNLICENSED`, and not `SEE LICENSE IN file`. */
function isExpression(text: string): boolean {
  return /^[\w.+()-]+(?: (?:AND|OR|WITH) [\w.+()-]+)*$/.test(text) && text !== 'UNLICENSED';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
