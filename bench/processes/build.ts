import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBundleOutdated } from '../../tools/build/outdated.ts';
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
  if (!isBundleOutdated()) return bundle;
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
