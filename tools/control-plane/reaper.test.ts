import { spawn, type ChildProcess } from 'node:child_process';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startReaper } from './reaper.ts';

let folder: string;
const sleepers: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-plane-reaper-'));
});
afterEach(async () => {
  for (const sleeper of sleepers.splice(0)) sleeper.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** A process that would outlive the test, and its end. */
async function sleeper(): Promise<{
  pid: number;
  ended: Promise<NodeJS.Signals | null>;
  child: ChildProcess;
}> {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  sleepers.push(child);
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('exit', (_code, signal) => resolve(signal));
  });
  await new Promise((resolve) => {
    child.once('spawn', resolve);
  });
  return { pid: child.pid ?? 0, ended, child };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

test('only the ids of the last line are killed, and the folder is removed', async () => {
  const [past, present] = await Promise.all([sleeper(), sleeper()]);
  const reaper = startReaper(folder);
  reaper.guard([past.pid, present.pid]);
  reaper.guard([present.pid]);
  await reaper.close();
  expect(await present.ended).toBe('SIGKILL');
  expect(past.child.exitCode ?? past.child.signalCode).toBeNull();
  expect(await isThere(folder)).toBe(false);
});

test('a negative id is a whole process group', async () => {
  const { pid, ended } = await sleeper();
  const reaper = startReaper(folder);
  reaper.guard([-pid]);
  await reaper.close();
  expect(await ended).toBe('SIGKILL');
});

test('without a folder nothing is removed', async () => {
  await startReaper().close();
  expect(await isThere(folder)).toBe(true);
});

test('folders to be emptied go once nothing is in them but folders, also those that appear later', async () => {
  const emptied = join(folder, 'group');
  const data = join(folder, 'data');
  await mkdir(join(emptied, 'pods', 'one'), { recursive: true });
  await mkdir(data);
  await writeFile(join(emptied, 'pods', 'in-use'), '');
  const reaper = startReaper(data, [emptied, join(folder, 'never-made')]);
  const closed = reaper.close();
  await rm(join(emptied, 'pods', 'in-use'));
  await closed;
  expect([await isThere(emptied), await isThere(data), await isThere(folder)]).toEqual([false, false, true]);
});
