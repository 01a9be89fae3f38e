import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { tied } from '../../bench/processes/children.ts';
import { type RunClock, clockText } from './clock.ts';

/** A dev server in a process of its own, and what its first line says. */
export interface ServerProcess<Ready> {
  child: ChildProcess;
  ready: Ready;
}

/** Starts a program on the run's clock. Rejects if it ends before its first line, which is JSON. */
export async function startServer<Ready>(program: URL, clock: RunClock): Promise<ServerProcess<Ready>> {
  const entry = fileURLToPath(program);
  const child = tied(
    spawn(process.execPath, [entry, clockText(clock)], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?];
  if (line === undefined) throw new Error(`${entry} did not start.`);
  return { child, ready: JSON.parse(line) as Ready };
}

/** Ends the process, if it still runs. */
export async function endServer({ child }: ServerProcess<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
