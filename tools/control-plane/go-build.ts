import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ControlPlaneError } from './errors.ts';
import type { Environment } from './folders.ts';

/** One command of one module. */
export interface GoTarget {
  name: string;
  version: string;
  /** Folder of the wrapper module. */
  module: string;
  /** Import path of the command. */
  package: string;
  ldflags: string;
}

export interface GoBuildOptions {
  env: Environment;
  progress?: (line: string) => void;
  signal?: AbortSignal;
  /** Told of each build's process group, so that it can be killed with us. */
  guard?: (pids: readonly number[]) => void;
}

const REPORT_MS = 10_000;
const ERROR_LINES = 15;

interface Progress {
  target: GoTarget;
  downloaded: number;
  compiled: number;
  done: boolean;
}

/** Builds all targets at once into `out`, and reports every ten seconds. If one fails the others are ended. */
export async function goBuild(
  targets: readonly GoTarget[],
  out: string,
  options: GoBuildOptions,
): Promise<void> {
  const startedAt = performance.now();
  const states = targets.map((target): Progress => ({ target, downloaded: 0, compiled: 0, done: false }));
  const report = (): void => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    for (const state of states) options.progress?.(progressLine(state, seconds));
  };
  report();
  const ticker = setInterval(report, REPORT_MS);
  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const groups = new Set<number>();
  try {
    await Promise.all(
      states.map(async (state) => {
        try {
          await run(state, out, options, signal, groups);
          state.done = true;
        } catch (error) {
          // The first failure is the reason; it ends the others, whose own failures then say nothing.
          failure.abort(error);
        }
      }),
    );
    signal.throwIfAborted();
    report();
  } finally {
    clearInterval(ticker);
  }
}

/** One line on one target, such as `Building etcd v3.7.3: 20 s, 310 packages compiled.` */
export function progressLine(state: Progress, seconds: number): string {
  const { name, version } = state.target;
  if (state.done) return `Built ${name} ${version}.`;
  const parts = [`${seconds} s`];
  if (state.downloaded > 0) parts.push(`${state.downloaded} modules fetched`);
  if (state.compiled > 0) parts.push(`${state.compiled} packages compiled`);
  return `Building ${name} ${version}: ${parts.join(', ')}.`;
}

function run(
  state: Progress,
  out: string,
  options: GoBuildOptions,
  signal: AbortSignal,
  groups: Set<number>,
): Promise<void> {
  const { target } = state;
  const child = spawn(
    'go',
    [
      'build',
      '-v',
      '-trimpath',
      '-mod=readonly',
      '-ldflags',
      target.ldflags,
      '-o',
      join(out, target.name),
      target.package,
    ],
    {
      cwd: target.module,
      // A workspace of the user's must not take part.
      env: { ...options.env, CGO_ENABLED: '0', GOWORK: 'off' },
      // A group of its own, so that its compilers can be ended with it.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const group = child.pid === undefined ? undefined : -child.pid;
  if (group !== undefined) groups.add(group);
  options.guard?.([...groups]);
  const end = (): void => {
    if (group !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(group, 'SIGKILL');
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });

  const last: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    if (line.startsWith('go: downloading ')) state.downloaded++;
    else if (/^[\w.~/-]+$/u.test(line)) state.compiled++;
    else last.splice(0, last.push(line) - ERROR_LINES);
  });
  return new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', end);
      if (group !== undefined) groups.delete(group);
      options.guard?.([...groups]);
      if (code === 0) resolve();
      else if (signal.aborted) reject(signal.reason as Error);
      else reject(new ControlPlaneError('BuildFailed', `go build of ${target.name} failed.`, last));
    });
  });
}
