import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { type Logger, silentLog } from '../../lib/log.ts';
import { PLUGIN_ENDS_MS, runPlugin } from './exec-plugin.ts';

let folder: string;
const clock = new VirtualClock();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'exec-plugin-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function plugin(script: string): Promise<{ command: string }> {
  const command = join(folder, 'plugin');
  await writeFile(command, `#!/bin/sh\n${script}\n`);
  await chmod(command, 0o755);
  return { command };
}

const never = new AbortController().signal;

/** How a run fails. Asked for before that, so that no rejection is unhandled for a moment. */
function failureOf(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Resolves once a file of the plugin has this many lines. */
async function lines(name: string, count: number): Promise<string[]> {
  for (;;) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    const found = text.split('\n').slice(0, -1);
    if (found.length >= count) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Resolves once no process has one of these ids. */
async function gone(pids: readonly string[]): Promise<void> {
  for (const pid of pids) {
    // A zombie counts as gone.
    const state = async (): Promise<string> =>
      readFile(`/proc/${pid}/stat`, 'utf8').then(
        (text) => text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3),
        () => 'Z',
      );
    while ((await state()) !== 'Z') await new Promise((resolve) => setImmediate(resolve));
  }
}

test('what it prints is read, and it gets its arguments and variables', async () => {
  const exec = {
    ...(await plugin(
      `echo "{\\"status\\":{\\"token\\":\\"$1-$COLOUR\\",\\"expirationTimestamp\\":\\"2026-01-01T00:00:00Z\\"}}"`,
    )),
    args: ['first'],
    env: [{ name: 'COLOUR', value: 'blue' }],
  };
  expect(await runPlugin(exec, { clock, signal: never })).toEqual({
    token: 'first-blue',
    expiresAt: Date.parse('2026-01-01T00:00:00Z'),
  });
});

test.each([
  ['prints no JSON', 'echo hello', 'not valid JSON'],
  ['prints no credential', 'echo "{}"', 'no ExecCredential'],
  ['fails and says why', 'echo "log in first" >&2; exit 3', 'log in first'],
  ['fails and says nothing', 'exit 3', 'It ended with 3.'],
])('one that %s is an error', async (_, script, message) => {
  await expect(runPlugin(await plugin(script), { clock, signal: never })).rejects.toThrow(message);
});

test('a command that does not exist is an error', async () => {
  await expect(runPlugin({ command: join(folder, 'none') }, { clock, signal: never })).rejects.toThrow(
    'ENOENT',
  );
});

test('one that hangs ends with what it has started when the signal aborts', async () => {
  const exec = await plugin(
    `sleep 600 & echo $! > "$(dirname "$0")/pids"; echo $$ >> "$(dirname "$0")/pids"; wait`,
  );
  const stop = new AbortController();
  const running = runPlugin(exec, { clock, signal: stop.signal });
  const pids = await lines('pids', 2);

  const failure = failureOf(running);
  stop.abort(new Error('stopped'));

  expect(await failure).toMatchObject({ message: 'stopped' });
  await gone(pids);
});

test('one that ignores SIGTERM is killed', async () => {
  const exec = await plugin(`trap '' TERM; echo $$ > "$(dirname "$0")/pids"; while :; do sleep 600; done`);
  const stop = new AbortController();
  const running = runPlugin(exec, { clock, signal: stop.signal });
  const pids = await lines('pids', 1);

  const failure = failureOf(running);
  stop.abort(new Error('stopped'));
  await clock.advance(PLUGIN_ENDS_MS);

  expect(await failure).toMatchObject({ message: 'stopped' });
  await gone(pids);
});

test('one that ignores SIGTERM is killed at once when the process ends', async () => {
  const exec = await plugin(`trap '' TERM; echo $$ > "$(dirname "$0")/pids"; while :; do sleep 600; done`);
  const [stop, end] = [new AbortController(), new AbortController()];
  const running = runPlugin(exec, { clock, signal: stop.signal, end: end.signal });
  const pids = await lines('pids', 1);

  const failure = failureOf(running);
  stop.abort(new Error('stopped'));
  end.abort();

  expect(await failure).toMatchObject({ message: 'stopped' });
  await gone(pids);
});

test('one whose output another process keeps open does not hold up the stop', async () => {
  const exec = await plugin(`setsid sleep 600 & echo $! > "$(dirname "$0")/pids"; sleep 600`);
  const stop = new AbortController();
  const running = runPlugin(exec, { clock, signal: stop.signal });
  const [pid = ''] = await lines('pids', 1);

  const failure = failureOf(running);
  stop.abort(new Error('stopped'));

  expect(await failure).toMatchObject({ message: 'stopped' });
  await once(spawn('kill', ['-KILL', pid]), 'close');
});

test('one that has ended, and whose output another process keeps open, does not hold up the stop either', async () => {
  const exec = await plugin(`setsid sleep 600 & printf '%s\\n' $! $$ > "$(dirname "$0")/pids"`);
  const stop = new AbortController();
  const running = runPlugin(exec, { clock, signal: stop.signal });
  const [left = '', itself = ''] = await lines('pids', 2);
  await gone([itself]);

  const failure = failureOf(running);
  stop.abort(new Error('stopped'));

  expect(await failure).toMatchObject({ message: 'stopped' });
  await once(spawn('kill', ['-KILL', left]), 'close');
});

test('the log says what is waited for', async () => {
  const warnings: unknown[] = [];
  const log: Logger = { ...silentLog, warn: (...line: unknown[]) => void warnings.push(line) };
  const exec = await plugin(`echo $$ > "$(dirname "$0")/pids"; exec sleep 600`);
  const stop = new AbortController();
  const running = runPlugin(exec, { clock, log, signal: stop.signal });
  await lines('pids', 1);

  await clock.advance(10_000);

  expect(warnings).toEqual([[{ command: exec.command }, 'Waiting for the kubeconfig’s credential plugin']]);
  const failure = failureOf(running);
  stop.abort(new Error('stopped'));
  expect(await failure).toMatchObject({ message: 'stopped' });
});
