import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startReaper, type Reaper } from '../control-plane/reaper.ts';
import { cgroupFolders } from './cgroups.ts';

/** Folders that are hidden in the namespaces: what writes there by a fixed path writes into memory, and leaves nothing behind. */
export const HIDDEN = ['/run', '/var/log', '/var/lib/cni'];

/** A name and a folder of one run, and the process that removes it with the run's cgroups, however this process ends. */
export interface Premises {
  /** Different for each run; its folder and its cgroups are called so. */
  name: string;
  folder: string;
  reaper: Reaper;
}

/** Makes them. */
export async function makePremises(): Promise<Premises> {
  const name = `tinycert-node-${randomBytes(4).toString('hex')}`;
  const folder = await mkdtemp(join(await realpath(tmpdir()), `${name}-`));
  const mountPoints = HIDDEN.filter((each) => !existsSync(each));
  const made = [...cgroupFolders(await readFile('/proc/mounts', 'utf8'), name), ...mountPoints];
  const reaper = startReaper(folder, made);
  for (const each of made) await mkdir(each, { recursive: true });
  return { name, folder, reaper };
}

export interface Isolated {
  pid: number;
  /** Resolves with the exit code once the program has ended; null after a signal. */
  exited: Promise<number | null>;
}

/**
 * Runs Node with these arguments as the first process of new PID, mount and network namespaces. When it ends, the kernel ends
 * all processes in them, and removes their mounts, interfaces and firewall rules: there is nothing to take down one by one. The
 * reaper ends it if this process dies. Each line of its output is given to `onLine`; its errors go into `stderrFile`.
 */
export async function isolate(
  premises: Premises,
  args: readonly string[],
  options: { onLine: (line: string) => void; stderrFile: string },
): Promise<Isolated> {
  const errors = await open(options.stderrFile, 'a', 0o600);
  try {
    const child = spawn(
      'unshare',
      [
        '--net',
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        '--mount-proc',
        '--',
        process.execPath,
        ...args,
      ],
      // Ctrl-C must reach this process only, which then ends the other by SIGKILL: that is all it takes.
      {
        detached: true,
        stdio: ['ignore', 'pipe', errors.fd],
        env: { ...process.env, TMPDIR: premises.folder },
      },
    );
    const exited = new Promise<number | null>((resolve) => {
      child.once('close', (code) => resolve(code));
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(child.pid ?? 0));
    });
    premises.reaper.guard([pid]);
    if (child.stdout !== null) createInterface(child.stdout).on('line', options.onLine);
    return { pid, exited };
  } finally {
    await errors.close();
  }
}
