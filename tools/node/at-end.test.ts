import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runAtEnd } from './at-end.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'at-end-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the command runs when it is told to, and not before', async () => {
  const file = join(folder, 'done');
  const atEnd = runAtEnd('touch', [file]);
  await expect(access(file)).rejects.toThrow('ENOENT');
  expect(await atEnd.run()).toBe(0);
  await access(file);
});

test('it runs after SIGKILL of the process too', async () => {
  const module = new URL('at-end.ts', import.meta.url).href;
  const script = `import { runAtEnd } from ${JSON.stringify(module)};
    runAtEnd('mkdir', [${JSON.stringify(join(folder, 'done'))}]);
    console.log('ready');
    setInterval(() => {}, 1000);`;
  const seen = watch(folder);
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  const names = [];
  for await (const { filename } of seen) {
    names.push(filename);
    break;
  }
  expect(names).toEqual(['done']);
});
