import { type Clock, systemClock } from '../lib/clock.ts';
import { AppError, asError } from '../lib/errors.ts';
import { type Logger, silentLog } from '../lib/log.ts';
import { within } from '../lib/within.ts';
import { type Answer, type Listener, type ListenOptions, listen } from './listen.ts';
import type { WorkQueue } from './controller/queue.ts';

/** A health check. It throws or rejects if something is wrong. */
export type Check = () => void | Promise<void>;

export interface HealthOptions {
  /** `:8081`, `host:port`, or `0` for no listener. */
  address: string;
  /** Checks that fail if the process should be restarted. */
  livez: Checks;
  /** Checks that fail while the process cannot work. */
  readyz: Checks;
  clock?: Clock;
  log?: Logger;
  /** Ends the wait for the port. */
  signal?: AbortSignal;
}

/** Checks by name; as a function if they are known only later. */
export type Checks = Readonly<Record<string, Check>> | (() => Readonly<Record<string, Check>>);

/** A check fails for a reason that whoever asks may see: it names nothing of a tenant and no address. */
export class NotReady extends AppError {
  constructor(message: string) {
    super('NotReady', message);
  }
}

/** The source of the metrics: prom-client's `Registry`. */
export interface MetricsSource {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** A health check exceeded its time limit. */
export class CheckTimeoutError extends AppError {
  constructor() {
    super('CheckTimeout', 'The health check did not finish in time.');
  }
}

/** A worker has been busy with one key for too long. */
export class StuckWorkerError extends AppError {
  readonly seconds: number;

  constructor(seconds: number) {
    super('StuckWorker', 'A worker has been busy with one key for too long.');
    this.seconds = seconds;
  }
}

/** Time limit for one check, in milliseconds. */
const CHECK_MS = 2000;

/**
 * Serves `/livez` and `/readyz` as the API server does: `/healthz` is `/livez`, `/livez/name` runs one check, `?verbose` lists all,
 * `?exclude=name` omits one. The log states why a check failed; the answer does only for a `NotReady`.
 */
export function serveHealth(options: HealthOptions): Promise<Listener> {
  const { address, clock = systemClock, log = silentLog, signal } = options;
  const groups: Record<string, Checks> = {
    livez: options.livez,
    healthz: options.livez,
    readyz: options.readyz,
  };
  const failing = new Set<string>();

  /** Why the check fails, as far as the answer may say it; undefined if it passes. */
  async function failure(group: string, name: string, check: Check): Promise<string | undefined> {
    const id = `${group}/${name}`;
    try {
      await within(clock, CHECK_MS, () => new CheckTimeoutError(), check);
      if (failing.delete(id)) log.info({ check: id }, 'Health check passes again');
      return undefined;
    } catch (thrown) {
      if (!failing.has(id)) log.warn({ check: id, error: asError(thrown) }, 'Health check fails');
      failing.add(id);
      return thrown instanceof NotReady ? `failed: ${thrown.message}` : 'failed';
    }
  }

  async function answer(url: URL): Promise<Answer> {
    const [group = '', name = '', ...rest] = url.pathname.slice(1).split('/');
    const one = name === '' ? undefined : name;
    const given = Object.hasOwn(groups, group) ? groups[group] : undefined;
    const checks = typeof given === 'function' ? given() : given;
    if (!checks || rest.length > 0 || (one !== undefined && !Object.hasOwn(checks, one)))
      return { status: 404, body: 'not found\n' };
    const excluded = new Set(url.searchParams.getAll('exclude'));
    const asked = Object.entries(checks).filter(([name]) =>
      one === undefined ? !excluded.has(name) : name === one,
    );
    const results = await Promise.all(
      asked.map(async ([name, check]) => ({ name, why: await failure(group, name, check) })),
    );
    const ok = results.every(({ why }) => why === undefined);
    if (ok && !url.searchParams.has('verbose')) return { status: 200, body: 'ok' };
    const lines = results.map(
      ({ name, why }) => `[${why === undefined ? '+' : '-'}]${name} ${why ?? 'ok'}\n`,
    );
    return { status: ok ? 200 : 500, body: `${lines.join('')}${group} check ${ok ? 'passed' : 'failed'}\n` };
  }

  return listen(address, answer, { clock, signal });
}

/** Serves `/metrics`. */
export function serveMetrics(
  options: { address: string; registry: MetricsSource } & ListenOptions,
): Promise<Listener> {
  const { address, registry, ...rest } = options;
  async function answer(url: URL): Promise<Answer> {
    if (url.pathname !== '/metrics') return { status: 404, body: 'not found\n' };
    return { status: 200, body: await registry.metrics(), contentType: registry.contentType };
  }
  return listen(address, answer, rest);
}

/** A liveness check that fails once a worker of the queue has been busy with one key for `limitMs`. */
export function noStuckWorker(queue: Pick<WorkQueue, 'state'>, limitMs: number): Check {
  return () => {
    const { longestRunningSeconds } = queue.state();
    if (longestRunningSeconds * 1000 >= limitMs) throw new StuckWorkerError(longestRunningSeconds);
  };
}
