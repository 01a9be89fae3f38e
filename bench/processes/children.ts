import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();

process.once('exit', () => {
  // SIGKILL also ends a process that is stopped.
  for (const child of running) child.kill('SIGKILL');
});

/** Sees to it that a child does not outlive this process, however that ends short of being killed. */
export function tied<T extends ChildProcess>(child: T): T {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
