import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** One started server process whose output goes to a file. */
export interface Daemon {
  readonly name: string;
  readonly pid: number;
  /** Resolves once the process has ended; never rejects. */
  readonly exited: Promise<Exit>;
  readonly running: boolean;
  /** Sends `signal`, and SIGKILL after `graceMs`. Resolves once the process has ended. */
  stop(signal: NodeJS.Signals, graceMs?: number): Promise<void>;
  /** The last lines of its output. */
  tail(lines?: number): Promise<string[]>;
}

/**
 * The part of our environment that the child sees. etcd reads every ETCD_* variable as a flag, and the API server must not see
 * a proxy variable.
 */
const PASSED_ON = ['PATH', 'TMPDIR', 'TZ', 'GODEBUG', 'GOGC', 'GOMAXPROCS', 'GOMEMLIMIT'];

/** Starts `binary`; rejects if it cannot be executed at all. */
export async function startDaemon(binary: string, args: readonly string[], logFile: string): Promise<Daemon> {
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(binary, args, {
      // A process group of its own: Ctrl-C in a terminal must reach only this process, which stops the child in order.
      detached: true,
      stdio: ['ignore', log, log],
      env: Object.fromEntries(
        PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
      ),
    });
    const exited = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(child.pid ?? 0));
    });
    const running = (): boolean => child.exitCode === null && child.signalCode === null;
    return {
      name: basename(binary),
      pid,
      exited,
      get running() {
        return running();
      },
      async stop(signal, graceMs = 10_000) {
        if (!running()) return;
        child.kill(signal);
        const grace = new AbortController();
        const insist = sleep(graceMs, undefined, { signal: grace.signal }).then(
          () => child.kill('SIGKILL'),
          () => false,
        );
        await exited;
        grace.abort();
        await insist;
      },
      tail: (lines) => tailOf(logFile, lines),
    };
  } finally {
    closeSync(log);
  }
}

/** The last `lines` lines of a file; '' if it does not exist. */
export async function tailOf(file: string, lines = 15): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-lines);
}

/** A sentence that describes an exit. */
export function describeExit(exit: Exit): string {
  return exit.signal === null
    ? `It exited with code ${exit.code ?? 'unknown'}.`
    : `It was ended by ${exit.signal}.`;
}
