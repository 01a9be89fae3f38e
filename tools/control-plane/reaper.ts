import { spawn } from 'node:child_process';

/**
 * A shell that outlives this process for a moment. It reads lines of process ids; when its input ends, however this process
 * died, it kills the ids of the last line, removes the folder, and waits until the folders to be emptied are. Without it a SIGKILL of this process would leave etcd and
 * kube-apiserver running, since neither watches its parent.
 */
export interface Reaper {
  /** Replaces the ids to kill. */
  guard(pids: readonly number[]): void;
  /** Ends the shell, which kills the ids that remain. Resolves once it has ended. */
  close(): Promise<void>;
}

const SCRIPT = `
trap '' INT TERM HUP
pids=
while read -r line; do pids=$line; done
for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done
folder=$1
shift
for emptied in "$@"; do
  tries=0
  while [ -d "$emptied" ] && [ $tries -lt 100 ]; do
    find "$emptied" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
    tries=$((tries + 1))
  done
done
[ -z "$folder" ] || for try in 1 2 3 4 5; do rm -rf -- "$folder" && break; sleep 0.2; done
`;

/**
 * Starts the shell. It removes `folder` at the end; omit it to keep the data. Of each folder in `emptied` it removes what has no
 * files, deepest first, for ten seconds: that is how cgroups go, once the kernel has ended their processes.
 */
export function startReaper(folder?: string, emptied: readonly string[] = []): Reaper {
  // A session of its own: Ctrl-C and a kill of the whole process group must not reach it.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'control-plane-reaper', folder ?? '', ...emptied], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => {
    shell.once('close', () => resolve());
    shell.once('error', () => resolve());
  });
  // The shell may have ended before the last line, which does not matter then.
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
