import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Undo } from '../undo.ts';

/** Writes the PEM to the given path, else into a temporary folder that is removed with the server. */
export async function writeCaFile(caPem: string, path: string | undefined, undo: Undo[]): Promise<string> {
  if (path !== undefined) {
    await writeFile(path, caPem);
    return path;
  }
  const folder = await mkdtemp(join(tmpdir(), 'dev-server-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'ca.pem');
  await writeFile(file, caPem);
  return file;
}
