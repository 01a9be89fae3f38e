import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/**
 * Runs the program with `--json`, hands its line of JSON to `check`, stops it with SIGTERM and returns its exit code and
 * signal. Also stops it if `check` rejects.
 */
export async function runProgram(
  args: readonly string[],
  check: (ready: Record<string, string>) => Promise<void>,
): Promise<unknown> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const [output] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    await check(JSON.parse(output) as Record<string, string>);
  } finally {
    child.kill('SIGTERM');
  }
  return exited;
}
