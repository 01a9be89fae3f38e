import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Copies the logs of the node's programs and Pods, and the audit log. What cannot be read is left out. */
export async function saveLogs(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = await readdir(from, { recursive: true }).catch(() => []);
  for (const name of names.filter((each) => each.endsWith('.log'))) {
    await cp(join(from, name), join(to, name), { dereference: true }).catch(() => {});
  }
}
