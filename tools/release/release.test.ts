import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assertReplaceable } from './release.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a folder that is new, empty or has an earlier release may be replaced', async () => {
  await expect(assertReplaceable(join(folder, 'new'))).resolves.toBeUndefined();
  await expect(assertReplaceable(folder)).resolves.toBeUndefined();
  await writeFile(join(folder, 'install.yaml'), '');
  await writeFile(join(folder, 'SHA256SUMS'), '');
  await expect(assertReplaceable(folder)).resolves.toBeUndefined();
});

test('a folder with anything else is left alone', async () => {
  await writeFile(join(folder, 'thesis.txt'), '');
  await expect(assertReplaceable(folder)).rejects.toThrow("has other files than a release's");
  await expect(assertReplaceable(join(folder, 'thesis.txt'))).rejects.toThrow('is no folder');
});
