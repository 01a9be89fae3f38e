import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runChaos } from '../chaos/run.ts';
import { buildOperator } from '../support/world/operator-process.ts';

/** The steps that every certificate reaches. */
const REACHED = ['decide', 'attempt', 'send', 'reply', 'check', 'secret', 'result'];
const root = new URL('../../', import.meta.url).pathname;

test('the shipped bundle has neither failpoints nor a faster clock', async () => {
  await buildOperator();
  const chunks = readdirSync(join(root, 'dist/chunks')).map((file) => `chunks/${file}`);
  for (const file of ['operator.js', ...chunks])
    expect(readFileSync(join(root, 'dist', file), 'utf8')).not.toMatch(/TINYCERT_(FAILPOINT|CLOCK)/);
});

test('the command line of the chaos run has a help text, and refuses unknown options', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'test/chaos/main.ts'), ...args], { encoding: 'utf8' });

  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--seed N') });
  expect(run('--kills', 'many')).toMatchObject({ status: 2, stderr: expect.stringContaining('--kills') });
  expect(run('--frobnicate')).toMatchObject({ status: 2, stderr: expect.stringContaining('--frobnicate') });
});

test('nothing is lost, doubled, mixed up or stuck while operators are killed and frozen', async () => {
  const result = await runChaos(
    {
      seed: 20,
      certificates: 20,
      kills: 10,
      durationLimit: 75_000,
      settle: 240_000,
      speed: 6,
      logs: undefined,
      json: false,
    },
    () => {},
  );

  expect(result.findings).toEqual([]);
  // The machine determines how many fit into the limit.
  expect(result.kills).toBeGreaterThan(0);
  const missed = REACHED.filter((step) => (result.steps[step]?.hits ?? 0) === 0);
  expect(missed).toEqual([]);
}, 700_000);
