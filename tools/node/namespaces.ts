import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ControlPlaneError } from '../control-plane/errors.ts';
import { HIDDEN } from './isolation.ts';
import { run } from './run.ts';

/** Values of the whole machine that the kubelet sets. Here it writes into copies of the files, which only it sees. */
export const SHIELDED = [
  '/proc/sys/vm/overcommit_memory',
  '/proc/sys/vm/panic_on_oom',
  '/proc/sys/kernel/panic',
  '/proc/sys/kernel/panic_on_oops',
  '/proc/sys/kernel/keys/root_maxkeys',
  '/proc/sys/kernel/keys/root_maxbytes',
];

/**
 * Prepares the namespaces that `isolate` made: an address on the loopback interface, empty folders where programs write by fixed
 * paths, and copies of the kernel's values that are not in any namespace.
 */
export async function prepareNamespaces(folder: string, address: string): Promise<void> {
  if (process.pid !== 1) {
    throw new ControlPlaneError('StartFailed', 'A node is started only in namespaces of its own.', [
      'It would change the network of this machine. Use isolate().',
    ]);
  }
  await run('ip', ['link', 'set', 'lo', 'up']);
  await run('ip', ['address', 'add', `${address}/32`, 'dev', 'lo']);
  for (const each of HIDDEN) await run('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', each]);
  const copies = join(folder, 'sysctls');
  await mkdir(copies);
  for (const file of SHIELDED.filter((each) => existsSync(each))) {
    const copy = join(copies, file.replaceAll('/', '.'));
    await writeFile(copy, await readFile(file));
    await run('mount', ['--bind', copy, file]);
  }
}
