import { spawn } from 'node:child_process';

/**
 * A shell that outlives this process by one breath. It reads lines of process ids; when its input ends, however this
 * process died, it kills the ids of the last line and removes the folder. Without it a SIGKILL of this process would
 * leave etcd and kube-apiserver behind: neither watches its parent.
 */
export interface Reaper {
  /** Replaces the ids to kill. */
  guard(pids: readonly number[]): void;
  /** Ends the shell; it kills what is still guarded. Resolves when it is gone. */
  close(): Promise<void>;
}

const SCRIPT = `
trap '' INT TERM HUP
pids=
while read -r line; do pids=$line; done
for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done
[ -z "$1" ] || for try in 1 2 3 4 5; do rm -rf -- "$1" && break; sleep 0.2; done
`;

/** Starts the shell. `folder` is removed at the end; leave it out to keep the data. */
export function startReaper(folder?: string): Reaper {
  // A session of its own: Ctrl-C and a kill of the whole process group must not reach it.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'control-plane-reaper', folder ?? ''], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => {
    shell.once('close', () => resolve());
    shell.once('error', () => resolve());
  });
  // The shell may be gone before the last line; then there is nobody left to tell.
  shell.stdin.on('error', () => {});
  shell.unref();
  return {
    guard(pids) {
      shell.stdin.write(`${pids.join(' ')}\n`);
    },
    close() {
      shell.ref();
      shell.stdin.end();
      return ended;
    },
  };
}
