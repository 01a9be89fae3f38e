import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cacheRoot, helmFolder } from './folders.ts';
import { cachedHelm, ensureHelm } from './helm.ts';

let home: string;
let built: string[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'helm-'));
  built = [];
});
afterEach(() => rm(home, { recursive: true }));

async function build(folder: string): Promise<void> {
  built.push(folder);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'helm'), '');
  await chmod(join(folder, 'helm'), 0o755);
}

test('Helm is built once, by whichever of several comes first, and found from then on', async () => {
  const env = { HOME: home };
  const folder = helmFolder(cacheRoot(env));
  expect(await cachedHelm(env)).toBeUndefined();
  const found = await Promise.all([ensureHelm({ env }, build), ensureHelm({ env }, build)]);
  expect(found).toEqual([join(folder, 'helm'), join(folder, 'helm')]);
  expect(built).toEqual([folder]);
  expect(await cachedHelm(env)).toBe(join(folder, 'helm'));
});

test('a build that fails is not taken for Helm', async () => {
  const env = { HOME: home };
  const failing = ensureHelm({ env }, () => Promise.reject(new Error('no Go')));
  await expect(failing).rejects.toThrow('no Go');
  expect(await cachedHelm(env)).toBeUndefined();
});
