import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ImageError } from './errors.ts';

/** What every program that is started here gets. */
export interface Supervision {
  progress: (line: string) => void;
  signal: AbortSignal;
  /** Told which process groups run, so that they can be killed with this process. */
  guard: (groups: readonly number[]) => void;
}

export interface RunOptions extends Supervision {
  /** What is done, for progress and errors, such as `Building the image`. */
  title: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** What a line of output says about the progress; undefined if nothing. */
  stepOf?: (line: string) => string | undefined;
}

const REPORT_MS = 10_000;
const LAST_LINES = 20;

/**
 * Runs a program to its end, and reports at least every ten seconds. @throws ImageError `CommandFailed` with the end of its output, or
 * `ToolMissing`; the signal's reason if that aborts.
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  const { title, progress, signal, guard, stepOf } = options;
  signal.throwIfAborted();
  const startedAt = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedAt) / 1000);
  let step = '';
  const report = (): void => progress(`${title}: ${[...(step ? [step] : []), `${seconds()} s`].join(', ')}.`);
  report();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    // A process group of its own, so that it can be ended with all that it has started.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const group = -(child.pid ?? 0);
  const end = (): void => {
    if (group !== 0 && child.exitCode === null && child.signalCode === null) process.kill(group, 'SIGKILL');
  };
  if (group !== 0) guard([group]);
  signal.addEventListener('abort', end, { once: true });
  const ticker = setInterval(report, REPORT_MS);
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => {
      const next = stepOf?.(line);
      if (next !== undefined) step = next;
      last.splice(0, last.push(line) - LAST_LINES);
    });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (code !== 0)
      throw new ImageError('CommandFailed', `${title} failed: ${command} ended with ${code}.`, last);
  } catch (error) {
    throw missing(command, error) ?? error;
  } finally {
    clearInterval(ticker);
    signal.removeEventListener('abort', end);
    guard([]);
  }
}

/** The output of a program that takes no time; undefined if it fails or does not exist. */
export async function outputOf(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  return code === 0 ? output.trim() : undefined;
}

/** Debian's package of each program that is needed. */
const PACKAGES: Readonly<Record<string, string>> = {
  buildah: 'buildah',
  debootstrap: 'debootstrap',
  'dpkg-deb': 'dpkg',
  runc: 'runc',
  tar: 'tar',
  unshare: 'util-linux',
};

function missing(command: string, error: unknown): ImageError | undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return undefined;
  const name = PACKAGES[command];
  const advice = name === undefined ? [] : [`On Debian, apt-get install ${name} brings it.`];
  return new ImageError('ToolMissing', `There is no "${command}" in PATH.`, advice);
}
