import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LogLine } from './operator.ts';

const root = new URL('../../../', import.meta.url).pathname;
const shipped = join(root, 'dist/operator.js');
const withFailpoints = join(root, 'dist/failpoints/operator.js');

/** Builds the operator if `dist/` lacks it or has one that is older than its sources. */
export function buildOperator(): Promise<void> {
  return build(shipped, []);
}

/** Builds the operator with failpoints, if needed. Resolves with the bundle's path. */
export async function buildFailpoints(): Promise<string> {
  await build(withFailpoints, ['--failpoints']);
  return withFailpoints;
}

async function build(bundle: string, flags: readonly string[]): Promise<void> {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const newest = Math.max(...sources.map((file) => statSync(join(root, 'src', file)).mtimeMs));
  const built = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built > newest) return;
  const builder = spawn(process.execPath, [join(root, 'tools/build/build.ts'), ...flags], {
    cwd: root,
    stdio: 'inherit',
  });
  const code = await new Promise((resolve) => builder.once('close', resolve));
  if (code !== 0) throw new Error('The operator cannot be built.');
}

/** The built operator in a separate process. */
export interface OperatorProcess {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** What it has logged, one object for each line. */
  log(): LogLine[];
  /** Resolves with the first line, logged already or later, that `matches`; rejects if the process ends without one. */
  logged(matches: (line: LogLine) => boolean): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, or the name of the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Starts it with these flags and no environment but `env`. It is killed when the test ends. */
export function runOperatorProcess(
  args: readonly string[],
  env: Record<string, string> = {},
  bundle = shipped,
): OperatorProcess {
  // A home without a kubeconfig, so it cannot find a developer's cluster.
  const child: ChildProcess = spawn(process.execPath, [bundle, ...args], { env: { HOME: root, ...env } });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const listener of listeners) listener();
  });
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code ?? -1));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const log = (): LogLine[] =>
    stdout
      .slice(0, stdout.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    log,
    ended,
    kill: (signal) => child.kill(signal),
    logged: (matches) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = log().find(matches);
          if (found) resolve(found);
        };
        listeners.add(check);
        check();
        void ended.then(() => reject(new Error(`It ended without that line:\n${stdout}\n${stderr}`)));
      }),
  };
}
