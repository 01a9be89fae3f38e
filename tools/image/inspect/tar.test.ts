import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readTar, type TarEntry } from './tar.ts';
import { testTar } from './test-tar.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tar-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What the machine's tar makes of the folder, by path. */
function packed(format: string): Map<string, TarEntry> {
  const tar = execFileSync(
    'tar',
    [
      '--create',
      `--format=${format}`,
      '--sort=name',
      '--owner=1:7',
      '--group=1:8',
      '--directory',
      folder,
      '.',
    ],
    { maxBuffer: 2 ** 24 },
  );
  return new Map(readTar(tar).map((entry) => [entry.path, entry]));
}

const LONG = `${'long-folder-name/'.repeat(12)}${'x'.repeat(120)}`;

describe.each(['ustar', 'pax', 'gnu'])('a tar in the format %s', (format) => {
  test('is read with types, rights, owners, targets and contents', () => {
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/run'), 'hello'.repeat(300));
    chmodSync(join(folder, 'bin/run'), 0o4755);
    symlinkSync('run', join(folder, 'bin/link'));
    linkSync(join(folder, 'bin/run'), join(folder, 'bin/same'));
    writeFileSync(join(folder, 'empty'), '');
    const entries = packed(format);
    expect([...entries.keys()]).toEqual(['', 'bin', 'bin/link', 'bin/run', 'bin/same', 'empty']);
    expect(entries.get('bin')).toMatchObject({ type: 'folder' });
    expect(entries.get('bin/run')).toMatchObject({ type: 'file', mode: 0o4755, uid: 7, gid: 8 });
    expect(entries.get('bin/run')?.content.toString()).toBe('hello'.repeat(300));
    expect(entries.get('bin/link')).toMatchObject({ type: 'symlink', target: 'run' });
    expect(entries.get('bin/same')).toMatchObject({ type: 'hardlink', target: './bin/run' });
    expect(entries.get('empty')?.content).toHaveLength(0);
  });
});

test.each(['pax', 'gnu'])('long names and targets are read in the format %s', (format) => {
  mkdirSync(join(folder, LONG, '..'), { recursive: true });
  writeFileSync(join(folder, LONG), 'found');
  symlinkSync(LONG, join(folder, 'link'));
  const entries = packed(format);
  expect(entries.get(LONG)?.content.toString()).toBe('found');
  expect(entries.get('link')?.target).toBe(LONG);
});

test('what is cut off, or no tar at all, is refused', () => {
  const tar = testTar([{ path: 'a', content: 'x'.repeat(2000) }]);
  expect(() => readTar(tar.subarray(0, 1024))).toThrow('ends in the middle');
  expect(() => readTar(Buffer.alloc(1024, 'x'))).toThrow('This is no tar');
});
