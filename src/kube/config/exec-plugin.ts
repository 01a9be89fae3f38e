import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../../lib/clock.ts';
import { clip } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { type Entry, textOf } from './kubeconfig-file.ts';

/** What a plugin returns: a token, a client certificate with its key, or both. */
export interface PluginCredential {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Milliseconds since the epoch; without it the credential is good until the server refuses it. */
  readonly expiresAt?: number;
}

export interface PluginOptions {
  clock: Clock;
  log?: Logger | undefined;
  /** Ends the plugin: politely, then by force. */
  signal: AbortSignal;
  /** Kills the plugin, since this process ends. */
  end?: AbortSignal | undefined;
}

/** After this time the log says what is being waited for, in milliseconds: a plugin may wait for a person, or hang. */
const SLOW_MS = 10_000;
/** How long a plugin that is to end may take, in milliseconds. */
export const PLUGIN_ENDS_MS = 1_000;
/** Most that is kept of what a plugin writes, in characters. */
const MAX_OUTPUT = 2 ** 20;

/**
 * Runs the credential plugin of a kubeconfig's user (`exec`) and reads the ExecCredential that it prints. Rejects with an error of
 * unknown text, or once the plugin has ended with the signal's reason.
 */
export async function runPlugin(exec: Entry, options: PluginOptions): Promise<PluginCredential> {
  const printed: unknown = JSON.parse(await outputOf(exec, options));
  const status = isEntry(printed) && isEntry(printed['status']) ? printed['status'] : {};
  const [token, cert, key] = ['token', 'clientCertificateData', 'clientKeyData'].map((name) =>
    textOf(status, name),
  );
  if (token === undefined && cert === undefined)
    throw new Error('It printed no ExecCredential with a token or certificate.');
  const expiresAt = Date.parse(textOf(status, 'expirationTimestamp') ?? '');
  return {
    ...(token === undefined ? {} : { token }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(Number.isNaN(expiresAt) ? {} : { expiresAt }),
  };
}

async function outputOf(exec: Entry, { clock, log, signal, end }: PluginOptions): Promise<string> {
  signal.throwIfAborted();
  const command = textOf(exec, 'command');
  if (command === undefined) throw new Error('The user’s exec entry names no command.');
  // A process group of its own, so what the plugin has started ends with it.
  const child = spawn(command, listOf(exec['args']).map(String), {
    env: { ...process.env, ...variablesOf(exec) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const [output, complaint] = [collect(child.stdout), collect(child.stderr)];
  const cancels = [
    clock.timer(SLOW_MS, () => log?.warn({ command }, 'Waiting for the kubeconfig’s credential plugin')),
  ];
  const over = Promise.withResolvers<number | null>();
  // Its output may stay open in a process that has left the group.
  const onExit = (): void => {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (signal.aborted && hasEnded) over.resolve(null);
  };
  const onAbort = (): void => {
    onExit();
    kill(child, 'SIGTERM');
    cancels.push(clock.timer(PLUGIN_ENDS_MS, () => kill(child, 'SIGKILL')));
  };
  const onEnd = (): void => kill(child, 'SIGKILL');
  signal.addEventListener('abort', onAbort, { once: true });
  end?.addEventListener('abort', onEnd, { once: true });
  try {
    child.once('error', over.reject);
    child.once('close', over.resolve);
    child.once('exit', onExit);
    const code = await over.promise;
    signal.throwIfAborted();
    if (code !== 0) throw new Error(complaint() === '' ? `It ended with ${code}.` : clip(complaint()));
    return output();
  } finally {
    for (const cancel of cancels) cancel();
    signal.removeEventListener('abort', onAbort);
    end?.removeEventListener('abort', onEnd);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Gathers what a stream brings, up to a limit. Returns the function that tells it. */
function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => {
    if (text.length < MAX_OUTPUT) text += piece;
  });
  return () => text;
}

function kill({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

function variablesOf(exec: Entry): Record<string, string> {
  const pairs = listOf(exec['env']).flatMap((item) => {
    const name = isEntry(item) ? textOf(item, 'name') : undefined;
    return name === undefined || !isEntry(item) ? [] : [[name, textOf(item, 'value') ?? ''] as const];
  });
  return Object.fromEntries(pairs);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
