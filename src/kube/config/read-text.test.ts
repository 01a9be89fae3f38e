import { spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { readText } from './read-text.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-text-'));
});
afterEach(() => rm(folder, { recursive: true }));

const signal = new AbortController().signal;
const read = (file: string, given = signal): Promise<string> =>
  readText(file, { clock: systemClock, signal: given });

function pipe(): string {
  const file = join(folder, 'pipe');
  expect(spawnSync('mkfifo', [file]).status).toBe(0);
  return file;
}

test('a file is read whole, and an empty one is empty', async () => {
  const file = join(folder, 'file');
  await writeFile(file, 'ä'.repeat(100_000));
  expect(await read(file)).toBe('ä'.repeat(100_000));
  expect(await read('/dev/null')).toBe('');
});

test('a pipe is read once somebody writes to it', async () => {
  const file = pipe();
  const text = read(file);
  await appendFile(file, 'b'.repeat(100_000));
  expect(await text).toBe('b'.repeat(100_000));
});

test.each(['that nobody writes to', 'whose writer says nothing'])(
  'a pipe %s is waited for until the signal aborts',
  async (which) => {
    const file = pipe();
    const stop = new AbortController();
    const text = read(file, stop.signal);
    const writer = which === 'that nobody writes to' ? undefined : await open(file, 'r+');
    stop.abort(new Error('stopped'));
    await expect(text).rejects.toThrow('stopped');
    await writer?.close();
  },
);

test('a device without an end is refused', async () => {
  await expect(read('/dev/zero')).rejects.toThrow('larger than 16 MiB');
});

test('a missing file and a folder are the errors of the system', async () => {
  await expect(read(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(read(folder)).rejects.toMatchObject({ code: 'EISDIR' });
});
