import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Whether `dist/operator.js` is missing, or older than what it is built from. */
export function isBundleOutdated(): boolean {
  const builtAt = statSync(`${root}dist/operator.js`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return builtAt < newest([`${root}src`, `${root}tools/build`], ['package.json', 'package-lock.json']);
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
