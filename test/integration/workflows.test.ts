import { readdirSync, readFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ensureActionlint } from '../../tools/control-plane/index.ts';

const FOLDER = '.github/workflows';
const files = readdirSync(FOLDER).map((name) => `${FOLDER}/${name}`);

/** Runs actionlint as it comes: with the shell checker of a machine its findings would depend on the machine. */
async function lint(args: readonly string[], input = ''): Promise<string> {
  const actionlint = await ensureActionlint();
  const running = promisify(execFile)(actionlint, ['-no-color', '-shellcheck=', '-pyflakes=', ...args]);
  running.child.stdin?.end(input);
  return running.then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { stdout: string }).stdout,
  );
}

test('actionlint finds nothing in the workflows', async () => {
  expect(files.length).toBeGreaterThan(0);
  expect(await lint(files)).toBe('');
});

test('actionlint would find a step without a meaning', async () => {
  const workflow = 'on: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{nam: x}]}}\n';
  expect(await lint(['-'], workflow)).toContain('nam');
});

test.each(files)('the actions of %s are pinned to commits', (file) => {
  const uses = [...readFileSync(file, 'utf8').matchAll(/uses: (.*)$/gm)].map(([, action]) => action);
  expect(uses.length).toBeGreaterThan(0);
  for (const action of uses) expect(action).toMatch(/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test.each(['ci', 'e2e', 'release'])('the scripts that %s runs are those of package.json', (name) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const workflow = JSON.stringify(parse(readFileSync(`${FOLDER}/${name}.yaml`, 'utf8')));
  const run = [...workflow.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, script = '']) => script);
  expect(run.length).toBeGreaterThan(0);
  for (const script of run) expect(scripts).toHaveProperty([script]);
});
