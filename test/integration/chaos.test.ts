import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildOperator } from '../support/operator-process.ts';

const root = new URL('../../', import.meta.url).pathname;

test('the bundle that is shipped can neither be killed at a step nor hurried', async () => {
  await buildOperator();
  const chunks = readdirSync(join(root, 'dist/chunks')).map((file) => `chunks/${file}`);
  for (const file of ['operator.js', ...chunks])
    expect(readFileSync(join(root, 'dist', file), 'utf8')).not.toMatch(/TINYCERT_(FAILPOINT|CLOCK)/);
});

test('the command line of the chaos run explains itself, and refuses what it does not know', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'test/chaos/main.ts'), ...args], { encoding: 'utf8' });

  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--seed N') });
  expect(run('--kills', 'many')).toMatchObject({ status: 2, stderr: expect.stringContaining('--kills') });
  expect(run('--frobnicate')).toMatchObject({ status: 2, stderr: expect.stringContaining('--frobnicate') });
});
