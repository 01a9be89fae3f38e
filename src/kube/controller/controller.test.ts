import { describe, expect, test } from 'vitest';
import { VirtualClock, settle } from '../../../test/support/virtual-clock.ts';
import { TerminalError } from '../../lib/errors.ts';
import { type Logger, createLogger } from '../../lib/log.ts';
import { createMetrics } from '../../metrics/registry.ts';
import {
  type ControllerOptions,
  type Reconcile,
  ReconcileTimeoutError,
  runController,
} from './controller.ts';
import { ApiError } from '../errors.ts';
import { WorkQueue } from './queue.ts';

interface SetUp {
  clock: VirtualClock;
  queue: WorkQueue;
  logged: Record<string, unknown>[];
  /** When each key was reconciled, in milliseconds from the start. */
  runs: Record<string, number[]>;
  metric: (name: string, labels?: string) => Promise<number>;
  stop: () => Promise<void>;
  force: () => void;
}

const EXACT = { base: 1000, max: 480_000, jitter: 0 };

function start(reconcile: Reconcile, options: Partial<ControllerOptions> = {}): SetUp {
  const clock = new VirtualClock();
  const metrics = createMetrics({ process: false });
  const queue = new WorkQueue({ clock, name: 'test', metrics: metrics.queue });
  const logged: Record<string, unknown>[] = [];
  const runs: Record<string, number[]> = {};
  const [stopping, forcing] = [new AbortController(), new AbortController()];
  const running = runController(
    {
      name: 'test',
      queue,
      concurrency: 2,
      clock,
      log: logInto(logged),
      metrics: metrics.controller,
      backoff: EXACT,
      forceSignal: forcing.signal,
      ...options,
      reconcile: (key, context) => {
        (runs[key] ??= []).push(clock.monotonic());
        return reconcile(key, context);
      },
    },
    stopping.signal,
  );
  return {
    clock,
    queue,
    logged,
    runs,
    async metric(name, labels = '{controller="test"}') {
      const text = await metrics.registry.metrics();
      const line = text.split('\n').find((one) => one.startsWith(`${name}${labels} `));
      return Number(line?.split(' ').at(-1) ?? NaN);
    },
    stop: () => {
      stopping.abort(new Error('stopped'));
      return running;
    },
    force: () => forcing.abort(new Error('forced')),
  };
}

function logInto(logged: Record<string, unknown>[]): Logger {
  const write = (line: string): number => logged.push(JSON.parse(line) as Record<string, unknown>);
  return createLogger({ level: 'info', format: 'json', destination: { write } });
}

function result(name: string): string {
  return `{controller="test",result="${name}"}`;
}

function conflict(): ApiError {
  return new ApiError({
    status: 409,
    reason: 'Conflict',
    message: 'changed',
    verb: 'PATCH',
    resource: 'secrets',
  });
}

describe('a reconcile that returns', () => {
  test('nothing lets the key rest', async () => {
    const { clock, queue, runs, metric, stop } = start(() => Promise.resolve());
    queue.add('ns/a');
    await clock.advance(600_000);
    expect(runs).toEqual({ 'ns/a': [0] });
    expect(await metric('controller_runtime_reconcile_total', result('success'))).toBe(1);
    await stop();
  });

  test('a delay has the key reconciled again after it', async () => {
    const { clock, queue, runs, metric, stop } = start(() => Promise.resolve({ requeueAfterMs: 30_000 }));
    queue.add('ns/a');
    await clock.advance(61_000);
    expect(runs['ns/a']).toEqual([0, 30_000, 60_000]);
    expect(await metric('controller_runtime_reconcile_total', result('requeue_after'))).toBe(3);
    await stop();
  });

  test('a time has the key reconciled again at it', async () => {
    const at = new VirtualClock().now() + 90_000;
    const results = [{ requeueAt: at }];
    const { clock, queue, runs, stop } = start(() => Promise.resolve(results.pop()));
    queue.add('ns/a');
    await clock.advance(600_000);
    expect(runs['ns/a']).toEqual([0, 90_000]);
    await stop();
  });

  test.each([
    ['a delay of 0', { requeueAfterMs: 0 }, 100],
    ['a negative delay', { requeueAfterMs: -1 }, 100],
    ['a time long past', { requeueAt: 0 }, 1000],
  ])('%s causes no tight loop', async (_, returned, everyMs) => {
    const { clock, queue, runs, stop } = start(() => Promise.resolve(returned));
    queue.add('ns/a');
    await clock.advance(2 * everyMs);
    expect(runs['ns/a']).toEqual([0, everyMs, 2 * everyMs]);
    await stop();
  });

  test('both uses the earlier one', async () => {
    const started = new VirtualClock().now();
    let first = true;
    const { clock, queue, runs, stop } = start(() => {
      if (!first) return Promise.resolve();
      first = false;
      return Promise.resolve({ requeueAt: started + 5000, requeueAfterMs: 9000 });
    });
    queue.add('ns/a');
    await clock.advance(60_000);
    expect(runs['ns/a']).toEqual([0, 5000]);
    await stop();
  });

  test('a number that is not finite counts as failed', async () => {
    const { clock, queue, metric, stop } = start(() => Promise.resolve({ requeueAfterMs: NaN }));
    queue.add('ns/a');
    await clock.advance(100);
    expect(await metric('controller_runtime_reconcile_errors_total')).toBe(1);
    await stop();
  });
});

describe('a reconcile that throws', () => {
  test('any error is retried with a backoff that doubles, and logged', async () => {
    const { clock, queue, runs, logged, metric, stop } = start(() => Promise.reject(new Error('down')));
    queue.add('ns/a');
    await clock.advance(16_000);
    expect(runs['ns/a']).toEqual([0, 1000, 3000, 7000, 15_000]);
    expect(await metric('controller_runtime_reconcile_errors_total')).toBe(5);
    expect(await metric('controller_runtime_reconcile_total', result('error'))).toBe(5);
    expect(await metric('workqueue_retries_total', '{name="test",controller="test"}')).toBe(5);
    expect(logged).toHaveLength(5);
    expect(logged[0]).toMatchObject({
      level: 'warn',
      controller: 'test',
      namespace: 'ns',
      name: 'a',
      reconcileID: expect.stringMatching(/^[\da-f-]{36}$/),
      failures: 1,
      retryInMs: 1000,
      error: { message: 'down' },
    });
    await stop();
  });

  test('again and again is retried after the longest delay at most', async () => {
    const { clock, queue, runs, stop } = start(() => Promise.reject(new Error('down')));
    queue.add('ns/a');
    await clock.advance(24 * 3_600_000);
    const times = runs['ns/a'] ?? [];
    expect((times.at(-1) ?? 0) - (times.at(-2) ?? 0)).toBe(480_000);
    await stop();
  });

  test('starts with the shortest delay again after a success', async () => {
    const outcomes = ['fail', 'fail', 'succeed', 'fail', 'succeed'];
    const { clock, queue, runs, stop } = start(() =>
      outcomes.shift() === 'fail' ? Promise.reject(new Error('down')) : Promise.resolve(),
    );
    queue.add('ns/a');
    await clock.advance(10_000);
    queue.add('ns/a');
    await clock.advance(10_000);
    expect(runs['ns/a']).toEqual([0, 1000, 3000, 10_000, 11_000]);
    await stop();
  });

  test('for one key does not delay other keys', async () => {
    const { clock, queue, runs, stop } = start((key) =>
      key === 'bad' ? Promise.reject(new Error('down')) : Promise.resolve(),
    );
    queue.add('bad');
    await clock.advance(500);
    queue.add('good');
    await clock.advance(100);
    expect(runs).toEqual({ bad: [0], good: [500] });
    await stop();
  });

  test('is retried at once after a change', async () => {
    const { clock, queue, runs, stop } = start(() => Promise.reject(new Error('down')));
    queue.add('ns/a');
    await clock.advance(5000);
    queue.add('ns/a', { reason: 'changed' });
    await clock.advance(1000);
    expect(runs['ns/a']).toEqual([0, 1000, 3000, 5000]);
    await stop();
  });

  test('a TerminalError is not retried until something changes', async () => {
    const { clock, queue, runs, logged, metric, stop } = start(() =>
      Promise.reject(new TerminalError('BAD_SPEC', 'The spec is wrong.')),
    );
    queue.add('ns/a');
    await clock.advance(3_600_000);
    expect(runs['ns/a']).toEqual([0]);
    expect(logged).toMatchObject([{ level: 'error', error: { code: 'BAD_SPEC' } }]);
    expect(await metric('controller_runtime_terminal_reconcile_errors_total')).toBe(1);
    expect(await metric('controller_runtime_reconcile_errors_total')).toBe(1);
    queue.add('ns/a');
    await clock.advance(1);
    expect(runs['ns/a']).toEqual([0, 3_600_000]);
    await stop();
  });

  test('a conflict is retried soon and silently, and does not count as failed', async () => {
    let left = 3;
    const { clock, queue, runs, logged, metric, stop } = start(() => {
      left -= 1;
      return left >= 0 ? Promise.reject(conflict()) : Promise.resolve();
    });
    queue.add('ns/a');
    await clock.advance(2000);
    expect(runs['ns/a']).toHaveLength(4);
    expect(logged).toEqual([]);
    expect(await metric('tinycert_reconcile_conflicts_total')).toBe(3);
    expect(await metric('controller_runtime_reconcile_errors_total')).toBe(0);
    expect(await metric('controller_runtime_reconcile_total', result('requeue'))).toBe(3);
    await stop();
  });

  test.each([
    ['a delay of its own', 7000, [0, 7000]],
    ['terminal for no retry', 'terminal' as const, [0]],
    ['undefined for the backoff', undefined, [0, 1000, 3000, 7000]],
    ['NaN, which counts as undefined', NaN, [0, 1000, 3000, 7000]],
  ])('is retried as backoffFor asks: %s', async (_, delay, want) => {
    const { clock, queue, runs, stop } = start(() => Promise.reject(new Error('down')), {
      backoffFor: () => delay,
    });
    queue.add('ns/a');
    await clock.advance(8000);
    expect(runs['ns/a']).toEqual(want);
    await stop();
  });

  test('anything, in any way, does not stop the workers', async () => {
    const thrown: unknown[] = ['text', undefined, null, 42, { reason: 'Conflict' }];
    const { clock, queue, runs, stop } = start(
      (key) => {
        if (key === 'last') return Promise.resolve();
        // eslint-disable-next-line typescript/only-throw-error -- that is the case under test
        throw thrown[Number(key)];
      },
      { backoffFor: () => 'terminal' },
    );
    for (const key of thrown.keys()) queue.add(String(key));
    queue.add('last');
    await clock.advance(10);
    expect(Object.keys(runs)).toContain('last');
    expect(queue.running).toBe(0);
    await stop();
  });
});

describe('the time limit', () => {
  test('aborts a reconcile that exceeds it, which is counted and retried', async () => {
    const { clock, queue, runs, logged, metric, stop } = start(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
      { reconcileTimeoutMs: 10_000 },
    );
    queue.add('ns/a');
    await clock.advance(11_000);
    expect(runs['ns/a']).toEqual([0, 11_000]);
    expect(logged).toMatchObject([{ error: { code: new ReconcileTimeoutError().code } }]);
    expect(await metric('controller_runtime_reconcile_timeouts_total')).toBe(1);
    expect(await metric('controller_runtime_reconcile_time_seconds_sum')).toBe(10);
    await Promise.all([stop(), clock.advance(10_000)]);
  });

  test('leaves no timer after a reconcile', async () => {
    const { clock, queue, stop } = start(() => Promise.resolve());
    for (let i = 0; i < 10; i += 1) queue.add(`ns/${i}`);
    await clock.advance(1);
    expect(clock.pending).toBe(0);
    await stop();
  });

  test('does not matter for many keys with nothing to do, which let the event loop turn', async () => {
    const { queue, runs, stop } = start(() => Promise.resolve(), { concurrency: 1 });
    let doneAtTurn = -1;
    setImmediate(() => {
      doneAtTurn = Object.keys(runs).length;
    });
    for (let i = 0; i < 500; i += 1) queue.add(`ns/${i}`);
    while (queue.depth > 0) await settle();
    expect(doneAtTurn).toBeLessThan(100);
    await stop();
    expect(Object.keys(runs)).toHaveLength(500);
  });
});

describe('workers', () => {
  test('reconcile as many keys at once as there are workers, and never one key twice', async () => {
    const inside: string[] = [];
    let most = 0;
    const { clock, queue, metric, stop } = start(
      async (key) => {
        expect(inside).not.toContain(key);
        inside.push(key);
        most = Math.max(most, inside.length);
        await clock.sleep(1000);
        inside.splice(inside.indexOf(key), 1);
      },
      { concurrency: 3 },
    );
    for (let i = 0; i < 9; i += 1) queue.add(`ns/${i % 5}`);
    await clock.advance(500);
    expect(await metric('controller_runtime_active_workers')).toBe(3);
    expect(await metric('controller_runtime_max_concurrent_reconciles')).toBe(3);
    queue.add('ns/0');
    await clock.advance(10_000);
    expect(most).toBe(3);
    expect(await metric('controller_runtime_active_workers')).toBe(0);
    await stop();
  });
});

describe('shutting down', () => {
  test('lets running reconciles finish and starts no more', async () => {
    let finished = 0;
    const { clock, queue, runs, stop } = start(async () => {
      await clock.sleep(5000);
      finished += 1;
    });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await clock.advance(1000);
    let over = false;
    const stopped = stop().then(() => {
      over = true;
    });
    await clock.advance(3999);
    expect({ over, finished }).toEqual({ over: false, finished: 0 });
    await clock.advance(1);
    await stopped;
    expect(finished).toBe(2);
    expect(Object.keys(runs)).toEqual(['a', 'b']);
    expect(clock.pending).toBe(0);
  });

  test('aborts running reconciles at the second stage, without counting a failure', async () => {
    const { clock, queue, force, logged, metric, stop } = start(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    queue.add('ns/a');
    await clock.advance(1);
    const stopped = stop();
    await settle();
    force();
    await stopped;
    expect(await metric('controller_runtime_reconcile_errors_total')).toBe(0);
    expect(logged).toMatchObject([{ level: 'info', error: { message: 'forced' } }]);
  });

  test('ends idle workers at once', async () => {
    const { stop } = start(() => Promise.resolve());
    await expect(stop()).resolves.toBeUndefined();
  });
});
