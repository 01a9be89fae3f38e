import { spawn } from 'node:child_process';

/** A command that runs when it is told to, or when this process has ended, however it did. */
export interface AtEnd {
  /** Runs it now. Resolves with its exit code. */
  run(): Promise<number | null>;
}

// The shell ends its wait when the other end of its input is closed, and the kernel closes it with this process.
const SCRIPT = `
trap '' INT TERM HUP
cat > /dev/null
exec "$@"
`;

/** Prepares it, in a session of its own, which neither Ctrl-C nor a kill of the process group reaches. */
export function runAtEnd(program: string, args: readonly string[]): AtEnd {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'at-end', program, ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<number | null>((resolve) => {
    shell.once('close', (code) => resolve(code));
    shell.once('error', () => resolve(null));
  });
  shell.stdin.on('error', () => {});
  shell.unref();
  return {
    run() {
      shell.ref();
      shell.stdin.end();
      return ended;
    },
  };
}
