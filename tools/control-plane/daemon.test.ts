import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { describeExit, startDaemon, tailOf, type Daemon } from './daemon.ts';

let folder: string;
let log: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-plane-daemon-'));
  log = join(folder, 'log');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function start(script: string): Promise<Daemon> {
  const binary = join(folder, 'server');
  await writeFile(binary, `#!/bin/sh\n${script}\n`);
  await chmod(binary, 0o755);
  return startDaemon(binary, ['--flag'], log);
}

test('both outputs go to the log, whose end can be read', async () => {
  const daemon = await start('echo "$1"; echo problem >&2; exit 3');
  expect(await daemon.exited).toEqual({ code: 3, signal: null });
  expect(await daemon.tail()).toEqual(['--flag', 'problem']);
  expect(await daemon.tail(1)).toEqual(['problem']);
  expect([daemon.name, daemon.running]).toEqual(['server', false]);
});

test('variables that etcd would read as flags are not passed on', async () => {
  vi.stubEnv('ETCD_LISTEN_CLIENT_URLS', 'http://0.0.0.0:1');
  vi.stubEnv('HTTPS_PROXY', 'http://proxy');
  vi.stubEnv('GOGC', '50');
  const daemon = await start('env | grep -E "^(ETCD|HTTPS|GOGC)"');
  await daemon.exited;
  expect(await daemon.tail()).toEqual(['GOGC=50']);
});

test('a server that ignores SIGTERM is killed', async () => {
  const daemon = await start("trap '' TERM; echo up; while :; do sleep 1; done");
  // Its trap must be set first; otherwise the test's time limit ends the wait.
  while (!(await daemon.tail()).includes('up')) await nextTurn();
  await daemon.stop('SIGTERM', 10);
  expect(await daemon.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a server that has ended can be stopped again', async () => {
  const daemon = await start('exit 0');
  await daemon.exited;
  await daemon.stop('SIGTERM');
  expect(daemon.running).toBe(false);
});

test('a binary that cannot run is an error at once', async () => {
  await expect(startDaemon(join(folder, 'absent'), [], log)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a log that does not exist has an empty end', async () => {
  expect(await tailOf(join(folder, 'absent'))).toEqual(['']);
});

test.each([
  [{ code: 1, signal: null }, 'It exited with code 1.'],
  [{ code: null, signal: 'SIGKILL' as const }, 'It was ended by SIGKILL.'],
])('%o reads: %s', (exit, want) => {
  expect(describeExit(exit)).toBe(want);
});
