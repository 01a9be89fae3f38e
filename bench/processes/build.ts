import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../errors.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The absolute path of a bundle that an option names. Throws a BenchError if there is no such file. */
export function givenBundle(file: string): string {
  const path = resolve(file);
  if (!existsSync(path)) throw new BenchError(`There is no bundle at ${path}.`);
  return path;
}

/** The path of the operator's bundle, rebuilt if it is missing or older than its sources. */
export function freshBundle(progress: (line: string) => void): string {
  const bundle = `${root}dist/operator.js`;
  const builtAt = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (builtAt >= newest([`${root}src`, `${root}tools/build`], ['package.json', 'package-lock.json']))
    return bundle;
  progress('Building dist/operator.js, which is older than its sources.');
  const { status, stderr } = spawnSync(process.execPath, ['tools/build/build.ts'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new BenchError('The operator cannot be built.', stderr.trimEnd().split('\n').slice(-15));
  return bundle;
}

/** When the newest of the files was changed, in milliseconds since the epoch. Tests do not count. */
function newest(folders: readonly string[], files: readonly string[]): number {
  const inFolders = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => `${folder}/${file}`),
  );
  const all = [...inFolders, ...files.map((file) => root + file)];
  return Math.max(...all.map((file) => statSync(file).mtimeMs));
}
