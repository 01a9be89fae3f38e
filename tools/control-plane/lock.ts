import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A holder touches its lock this often. A lock that was not touched for the longer time is stale. */
const TOUCH_MS = 5000;
const STALE_MS = 60_000;
const POLL_MS = 500;
const REPORT_MS = 10_000;

interface Holder {
  pid: number;
  host: string;
}

export interface LockOptions {
  progress?: (line: string) => void;
  signal?: AbortSignal;
}

/**
 * Runs `work` while holding a lock file in `folder`, so two processes do not build the same thing at once.
 * It saves work and is not needed for correctness: every result is moved into place in one rename.
 */
export async function withLock<T>(
  folder: string,
  name: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.lock`);
  await acquire(file, options);
  const touch = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(file, { force: true });
  }
}

async function acquire(file: string, options: LockOptions): Promise<void> {
  const mine = `${file}.${randomUUID()}`;
  const since = performance.now();
  let reportAt = 0;
  // Write first, then link, so the lock never exists without its holder's name.
  await writeFile(mine, JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder));
  try {
    while (!(await linked(mine, file))) {
      if (await isStale(file)) {
        await removeStale(file);
        continue;
      }
      const waited = performance.now() - since;
      if (waited >= reportAt) {
        options.progress?.(`Another process is at the same work; waiting (${Math.round(waited / 1000)} s).`);
        reportAt += REPORT_MS;
      }
      await sleep(POLL_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Containers may share the cache, and a process id means nothing in another one, so only check ids of our own host. */
async function isStale(file: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(file);
    if (Date.now() - mtimeMs > STALE_MS) return true;
    const holder = JSON.parse(await readFile(file, 'utf8')) as Holder;
    return holder.host === hostname() && !isAlive(holder.pid);
  } catch {
    // Released just now.
    return false;
  }
}

/** Removes a stale lock by rename: of two processes that find it, only one removes it. */
async function removeStale(file: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
    // A third process may have taken the lock between the check and the rename: give it back.
    if (!(await isStale(aside))) await linked(aside, file);
    await rm(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
