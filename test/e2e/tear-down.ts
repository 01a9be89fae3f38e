import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { differences, readTraces, type Traces } from '../../tools/node/traces.ts';
import type { TestResult } from './result.ts';
import { until } from './world/until.ts';
import type { Supplies } from './world/world.ts';

/** The beginning of the names of all runs. */
export const MARK = 'tinycert-node-';

const VICTIM = fileURLToPath(new URL('victim.ts', import.meta.url));
/** The reaper works for about a second; a busy machine needs longer. */
const GONE_WITHIN_SECONDS = 30;

/** Compares the machine with what it was before the run. */
export async function checkAfterRun(before: Traces): Promise<TestResult> {
  const startedAt = performance.now();
  const left = differences(before, await readTraces(MARK));
  return resultOf('clean-after-run', startedAt, left, Object.keys(before).length);
}

/** Starts another node in a process of its own, kills that process when the node is ready, and compares. */
export async function checkAfterKill(
  supplies: Supplies,
  progress: (line: string) => void,
): Promise<TestResult> {
  const startedAt = performance.now();
  progress('Starting another node, to kill its run.');
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'e2e-victim-'));
  try {
    const before = await readTraces(MARK);
    const file = join(folder, 'supplies.json');
    await writeFile(file, JSON.stringify(supplies));
    const victim = spawn(process.execPath, [VICTIM, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(victim, 'exit');
    const said: string[] = [];
    const ready = new Promise<boolean>((resolve) => {
      createInterface(victim.stdout)
        .on('line', (line) => {
          said.push(line);
          if (line === 'ready') resolve(true);
        })
        .once('close', () => resolve(false));
    });
    if (!(await ready))
      return resultOf('clean-after-kill', startedAt, ['The other node did not start.', ...said], 0);
    const running = differences(before, await readTraces(MARK));
    victim.kill('SIGKILL');
    await exited;
    const killedAt = performance.now();
    // Without any the comparison would show nothing.
    let left = running.length === 0 ? ['The node was not seen while it ran.'] : running;
    await until(
      'nothing is left',
      async () => {
        if (running.length > 0) left = differences(before, await readTraces(MARK));
        return left.length === 0 ? true : undefined;
      },
      GONE_WITHIN_SECONDS,
    ).catch(() => undefined);
    const result = resultOf('clean-after-kill', startedAt, left, Object.keys(before).length);
    const seconds = Number(((performance.now() - killedAt) / 1000).toFixed(1));
    return {
      ...result,
      figures: {
        ...result.figures,
        'traces while it ran': running.length,
        'seconds until all was gone': seconds,
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function resultOf(name: string, startedAt: number, left: readonly string[], kinds: number): TestResult {
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1));
  return left.length === 0
    ? { name, result: 'passed', seconds, figures: { 'kinds of traces compared': kinds } }
    : { name, result: 'failed', seconds, error: `Left behind:\n    ${left.join('\n    ')}` };
}
