import { execFile } from 'node:child_process';
import { ControlPlaneError } from '../control-plane/errors.ts';

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  input?: string;
  timeoutMs?: number;
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

const LARGEST_OUTPUT = 256 * 1024 * 1024;

/** Runs a program to its end. Rejects only if it cannot be started or takes longer than `timeoutMs` (two minutes). */
export function attempt(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const { env, cwd, input, timeoutMs = 120_000 } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        maxBuffer: LARGEST_OUTPUT,
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        ...(env === undefined ? {} : { env }),
        ...(cwd === undefined ? {} : { cwd }),
      },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number') {
          const reason = error.killed === true ? `It was ended after ${timeoutMs / 1000} s.` : error.message;
          reject(
            new ControlPlaneError('StartFailed', `${program} ${args[0] ?? ''} did not end by itself.`, [
              reason,
              ...lastLines(stderr),
            ]),
          );
        } else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
    // A program that reads nothing may end first.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

/** The output of a program that must succeed. @throws ControlPlaneError with the end of what it wrote. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, options);
  if (code === 0) return stdout;
  throw new ControlPlaneError(
    'StartFailed',
    `${program} ${args.join(' ')} exited with ${code}.`,
    lastLines(stderr || stdout),
  );
}

function lastLines(text: string): string[] {
  return text.trim().split('\n').slice(-15);
}
