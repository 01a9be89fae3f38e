import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from './lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-plane-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

const LONG_AGO = new Date('2020-01-01T00:00:00Z');

/** The id of a process that has ended. */
function deadPid(): number {
  return spawnSync('true').pid;
}

test('two that want the lock work in turn, and nothing remains', async () => {
  const events: string[] = [];
  const entered = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  const first = withLock(folder, 'x', {}, async () => {
    events.push('first in');
    entered.resolve();
    await waiting.promise;
    events.push('first out');
  });
  await entered.promise;
  const second = withLock(folder, 'x', { progress: () => waiting.resolve() }, async () => {
    events.push('second in');
  });
  await Promise.all([first, second]);
  expect(events).toEqual(['first in', 'first out', 'second in']);
  expect(await readdir(folder)).toEqual([]);
});

test('failed work releases the lock', async () => {
  await expect(withLock(folder, 'x', {}, () => Promise.reject(new Error('broken')))).rejects.toThrow(
    'broken',
  );
  expect(await withLock(folder, 'x', {}, () => Promise.resolve('next'))).toBe('next');
});

test.each([
  ['whose holder on this host is dead', { pid: deadPid(), host: hostname() }, new Date()],
  ['of another host that nobody touched for long', { pid: 1, host: 'elsewhere' }, LONG_AGO],
])('a lock %s is replaced', async (_which, holder, touched) => {
  const file = join(folder, 'x.lock');
  await writeFile(file, JSON.stringify(holder));
  await utimes(file, touched, touched);
  expect(await withLock(folder, 'x', {}, () => Promise.resolve('mine'))).toBe('mine');
  expect(await readdir(folder)).toEqual([]);
});

test('a fresh lock of another host is respected and reported, and the wait for it can be ended', async () => {
  await writeFile(join(folder, 'x.lock'), JSON.stringify({ pid: deadPid(), host: 'elsewhere' }));
  const stop = new AbortController();
  const lines: string[] = [];
  const progress = (line: string): void => {
    lines.push(line);
    stop.abort();
  };
  await expect(
    withLock(folder, 'x', { progress, signal: stop.signal }, () => Promise.resolve()),
  ).rejects.toThrow('aborted');
  expect(lines).toEqual(['Another process is at the same work; waiting (0 s).']);
  expect(await readdir(folder)).toEqual(['x.lock']);
});
