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
  /** Build tags. */
  tags?: readonly string[];
}

export interface GoBuildOptions {
  env: Environment;
  progress?: (line: string) => void;
  signal?: AbortSignal;
  /** Called with the build's process group while it runs, so that it can be killed with this process. */
  guard?: (pids: readonly number[]) => void;
}

/** The progress of a build. */
export interface BuildState {
  seconds: number;
  downloaded: number;
  compiled: number;
}

const REPORT_MS = 10_000;
const ERROR_LINES = 15;

/** Builds the targets in parallel into `out`, and reports at least every ten seconds. */
export async function goBuild(
  targets: readonly GoTarget[],
  out: string,
  options: GoBuildOptions,
): Promise<void> {
  // In parallel, since each leaves a core idle at times (fetching, linking). If one fails, the other is ended.
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const running = new Set<number>();
  const track = (group: number, isRunning: boolean): void => {
    if (isRunning) running.add(group);
    else running.delete(group);
    options.guard?.([...running]);
  };
  const builds = targets.map(async (target) => {
    try {
      await buildOne(target, out, { ...options, signal }, track);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(builds);
  signal.throwIfAborted();
}

type Track = (group: number, isRunning: boolean) => void;

async function buildOne(target: GoTarget, out: string, options: GoBuildOptions, track: Track): Promise<void> {
  const startedAt = performance.now();
  const state: BuildState = { seconds: 0, downloaded: 0, compiled: 0 };
  const report = (): void => {
    state.seconds = Math.round((performance.now() - startedAt) / 1000);
    options.progress?.(progressLine(target, state));
  };
  report();
  const ticker = setInterval(report, REPORT_MS);
  try {
    await runGo(target, out, state, options, track);
  } finally {
    clearInterval(ticker);
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  options.progress?.(`Built ${target.name} ${target.version} in ${seconds} s.`);
}

/** One line about a running build, such as `Building etcd v3.7.3: 20 s, 310 packages compiled.` */
export function progressLine(target: Pick<GoTarget, 'name' | 'version'>, state: BuildState): string {
  const parts = [`${state.seconds} s`];
  if (state.downloaded > 0) parts.push(`${state.downloaded} modules fetched`);
  if (state.compiled > 0) parts.push(`${state.compiled} packages compiled`);
  return `Building ${target.name} ${target.version}: ${parts.join(', ')}.`;
}

function goArgs(target: GoTarget, out: string): string[] {
  return [
    'build',
    '-v',
    '-trimpath',
    '-mod=readonly',
    // The linker would drop the debug information; omitting it saves a twentieth of the time.
    '-gcflags=all=-dwarf=false',
    ...(target.tags === undefined ? [] : ['-tags', target.tags.join(',')]),
    '-ldflags',
    target.ldflags,
    '-o',
    join(out, target.name),
    target.package,
  ];
}

async function runGo(
  target: GoTarget,
  out: string,
  state: BuildState,
  options: GoBuildOptions,
  track: Track,
): Promise<void> {
  const { signal } = options;
  signal?.throwIfAborted();
  const child = spawn('go', goArgs(target, out), {
    cwd: target.module,
    // A workspace of the user must have no effect. Compilers that collect their garbage less often need a fifth less time, and
    // memory is not what a build lacks.
    env: { GOGC: '400', ...options.env, CGO_ENABLED: '0', GOWORK: 'off' },
    // A process group of its own, so its compilers can be ended with it.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const group = -(child.pid ?? 0);
  const end = (): void => {
    if (group !== 0 && child.exitCode === null && child.signalCode === null) process.kill(group, 'SIGKILL');
  };
  if (group !== 0) track(group, true);
  signal?.addEventListener('abort', end, { once: true });
  const last: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    if (line.startsWith('go: downloading ')) state.downloaded++;
    else if (isImportPath(line)) state.compiled++;
    else last.splice(0, last.push(line) - ERROR_LINES);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal?.throwIfAborted();
    if (code !== 0) throw new ControlPlaneError('BuildFailed', `go build of ${target.name} failed.`, last);
  } finally {
    signal?.removeEventListener('abort', end);
    track(group, false);
  }
}

/** A line that `go build -v` prints for each package it compiles. */
function isImportPath(line: string): boolean {
  return /^[\w.~/-]+$/u.test(line);
}
