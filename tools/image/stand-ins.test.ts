import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Engine } from './engine-types.ts';
import { ensureStandIns, standInNames } from './stand-ins.ts';

test('the names say which Node is in them, so another Node makes others', () => {
  expect(standInNames('24.1.0')).not.toEqual(standInNames('24.2.0'));
  for (const name of Object.values(standInNames('24.1.0'))) expect(name).toMatch(/^localhost\/.*:24\.1\.0-/);
});

test('stand-ins that are there are used, and nothing is built', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stand-ins-'));
  const asked: string[] = [];
  const refuse = (): never => {
    throw new Error('nothing is to be built');
  };
  const engine: Engine = {
    name: 'buildah',
    whereabouts: '',
    tidy: refuse,
    hasImage: (tag) => Promise.resolve(asked.push(tag) > 0),
    build: refuse,
    save: refuse,
  };
  const supervision = { progress: refuse, guard: refuse, signal: new AbortController().signal };
  const names = standInNames();
  expect(await ensureStandIns(engine, folder, supervision)).toEqual(names);
  expect(new Set(asked)).toEqual(new Set(Object.values(names)));
  await rm(folder, { recursive: true });
});
