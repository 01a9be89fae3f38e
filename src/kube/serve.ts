import { type Clock, systemClock } from '../lib/clock.ts';
import { AppError, asError } from '../lib/errors.ts';
import { type Logger, silentLog } from '../lib/log.ts';
import { within } from '../lib/within.ts';
import { type Answer, type Listener, listen } from './listen.ts';
import type { WorkQueue } from './controller/queue.ts';

/** A health check. It throws or rejects if something is wrong. */
export type Check = () => void | Promise<void>;

export interface HealthOptions {
  /** `:8081`, `host:port`, or `0` for no listener. */
  address: string;
  /** Checks that fail if the process should be restarted. */
  livez: Record<string, Check>;
  /** Checks that fail while the process cannot work. */
  readyz: Record<string, Check>;
  clock?: Clock;
  log?: Logger;
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
 * `?exclude=name` omits one. The log states why a check failed; the answer does not.
 */
export function serveHealth(options: HealthOptions): Promise<Listener> {
  const { address, clock = systemClock, log = silentLog } = options;
  const groups: Record<string, Record<string, Check>> = {
    livez: options.livez,
    healthz: options.livez,
    readyz: options.readyz,
  };
  const failing = new Set<string>();

  async function passes(group: string, name: string, check: Check): Promise<boolean> {
    const id = `${group}/${name}`;
    try {
      await within(clock, CHECK_MS, () => new CheckTimeoutError(), check);
      if (failing.delete(id)) log.info({ check: id }, 'Health check passes again');
      return true;
    } catch (thrown) {
      if (!failing.has(id)) log.warn({ check: id, error: asError(thrown) }, 'Health check fails');
      failing.add(id);
      return false;
    }
  }

  return listen(address, async (url): Promise<Answer> => {
    const [group = '', name = '', ...rest] = url.pathname.slice(1).split('/');
    const one = name === '' ? undefined : name;
    const checks = Object.hasOwn(groups, group) ? groups[group] : undefined;
    if (!checks || rest.length > 0 || (one !== undefined && !Object.hasOwn(checks, one)))
      return { status: 404, body: 'not found\n' };
    const excluded = new Set(url.searchParams.getAll('exclude'));
    const asked = Object.entries(checks).filter(([name]) =>
      one === undefined ? !excluded.has(name) : name === one,
    );
    const results = await Promise.all(
      asked.map(async ([name, check]) => ({ name, ok: await passes(group, name, check) })),
    );
    const ok = results.every((result) => result.ok);
    if (ok && !url.searchParams.has('verbose')) return { status: 200, body: 'ok' };
    const lines = results.map(
      (result) => `[${result.ok ? '+' : '-'}]${result.name} ${result.ok ? 'ok' : 'failed'}\n`,
    );
    return { status: ok ? 200 : 500, body: `${lines.join('')}${group} check ${ok ? 'passed' : 'failed'}\n` };
  });
}

/** Serves `/metrics`. */
export function serveMetrics(options: { address: string; registry: MetricsSource }): Promise<Listener> {
  const { address, registry } = options;
  return listen(address, async (url): Promise<Answer> => {
    if (url.pathname !== '/metrics') return { status: 404, body: 'not found\n' };
    return { status: 200, body: await registry.metrics(), contentType: registry.contentType };
  });
}

/** A liveness check that fails once a worker of the queue has been busy with one key for `limitMs`. */
export function noStuckWorker(queue: Pick<WorkQueue, 'state'>, limitMs: number): Check {
  return () => {
    const { longestRunningSeconds } = queue.state();
    if (longestRunningSeconds * 1000 >= limitMs) throw new StuckWorkerError(longestRunningSeconds);
  };
}
