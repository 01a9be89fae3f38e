import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Secret } from '../../src/kube/objects.ts';

/** One file of a Secret. */
export function fileOf(secret: Secret, name: string): Buffer {
  return Buffer.from(secret.data?.[name] ?? '', 'base64');
}

/** Runs `work` in a folder with these files, which is removed afterwards. */
export async function withFiles<T>(
  files: Record<string, Buffer | string>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tinycert-demo-'));
  try {
    for (const [name, content] of Object.entries(files))
      await writeFile(join(folder, name), content, { mode: 0o600 });
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
