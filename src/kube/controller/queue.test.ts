import { describe, expect, test } from 'vitest';
import { drain, setUp } from '../../../test/support/kube/queue.ts';
import { VirtualClock, settle } from '../../../test/support/virtual-clock.ts';
import type { Clock } from '../../lib/clock.ts';
import { createMetrics } from '../../metrics/registry.ts';
import { LIST_PRIORITY, QueueShutDownError, WorkQueue } from './queue.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('ready keys', () => {
  test('are handed out in the order of their adds', async () => {
    const { queue } = setUp();
    for (const key of ['c', 'a', 'b']) queue.add(key);
    expect(await drain(queue)).toEqual(['c', 'a', 'b']);
  });

  test('are not doubled by another add and keep their place', async () => {
    const { queue } = setUp();
    for (const key of ['a', 'b', 'a']) queue.add(key);
    expect(await drain(queue)).toEqual(['a', 'b']);
  });

  test('from a live change go before those from a whole list', async () => {
    const { queue } = setUp();
    queue.add('listed-1', { priority: LIST_PRIORITY });
    queue.add('listed-2', { priority: LIST_PRIORITY });
    queue.add('changed');
    queue.add('listed-2');
    expect(await drain(queue)).toEqual(['listed-2', 'changed', 'listed-1']);
  });

  test('from a live change keep their place if a list adds them again', async () => {
    const { queue } = setUp();
    queue.add('a', { priority: LIST_PRIORITY });
    queue.add('b');
    queue.add('b', { priority: LIST_PRIORITY });
    expect(await drain(queue)).toEqual(['b', 'a']);
  });

  test('go to the worker that has waited longest', async () => {
    const { queue } = setUp();
    const first = queue.next();
    const second = queue.next();
    queue.add('a');
    queue.add('b');
    expect((await first).key).toBe('a');
    expect((await second).key).toBe('b');
  });

  test('have their reasons, each once, up to a limit', async () => {
    const { queue } = setUp();
    for (const reason of ['added', 'added', 'secret', 'issuer', 'renewal', 'too many'])
      queue.add('a', { reason });
    expect((await queue.next()).reasons).toEqual(['added', 'secret', 'issuer', 'renewal']);
  });
});

describe('a running key', () => {
  test('is not handed out again, and runs once more after any number of adds', async () => {
    const { queue } = setUp();
    queue.add('a');
    await queue.next();
    for (let i = 0; i < 3; i += 1) queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(queue.depth).toBe(1);
    expect(await drain(queue)).toEqual(['a']);
    expect(queue.depth).toBe(0);
  });

  test('keeps a delay that was added meanwhile', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    await queue.next();
    queue.add('a', { afterMs: 5000 });
    queue.done('a');
    expect(queue.depth).toBe(0);
    await clock.advance(5000);
    expect(queue.depth).toBe(1);
  });

  test('has its delay counted from the add, not from the end of the run', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    await queue.next();
    queue.add('a', { afterMs: 1000 });
    await clock.advance(3000);
    queue.done('a');
    expect(queue.depth).toBe(1);
  });

  test('may be done twice without harm', async () => {
    const { queue } = setUp();
    queue.add('a');
    await queue.next();
    queue.done('a');
    queue.done('a');
    queue.done('never handed out');
    expect(queue.running).toBe(0);
  });
});

describe('delayed keys', () => {
  test('become ready at their time, not before', async () => {
    const { clock, queue } = setUp();
    queue.add('a', { afterMs: 1000 });
    await clock.advance(999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  test.each([
    [1000, 5000, 1000],
    [5000, 1000, 1000],
    [5000, 0, 0],
  ])('added for %d and %d ms are due once, at the earlier time', async (first, second, due) => {
    const { clock, queue } = setUp();
    queue.add('a', { afterMs: first });
    queue.add('a', { afterMs: second });
    await clock.advance(due - 1);
    expect(queue.depth).toBe(due === 0 ? 1 : 0);
    await clock.advance(due === 0 ? 0 : 1);
    expect(await drain(queue)).toEqual(['a']);
    await clock.advance(10_000);
    expect(queue.depth).toBe(0);
  });

  test('become ready in the order of their times, behind earlier ready keys', async () => {
    const { clock, queue } = setUp();
    queue.add('third', { afterMs: 3000 });
    queue.add('second', { afterMs: 2000 });
    queue.add('first');
    await clock.advance(3000);
    expect(await drain(queue)).toEqual(['first', 'second', 'third']);
  });

  test('beyond 2^31 ms keep their time', async () => {
    const { clock, queue } = setUp();
    queue.add('a', { afterMs: 400 * DAY });
    await clock.advance(399 * DAY);
    expect(queue.depth).toBe(0);
    await clock.advance(DAY);
    expect(queue.depth).toBe(1);
  });

  test('all share one timer', async () => {
    const { clock, queue } = setUp();
    for (let i = 0; i < 1000; i += 1) queue.add(`key-${i}`, { afterMs: 1000 + ((i * 7919) % 1000) });
    expect(clock.pending).toBe(1);
    await clock.advance(2000);
    expect(queue.depth).toBe(1000);
    expect(clock.pending).toBe(0);
  });

  test('with a long delay wake no worker before their time', async () => {
    const clock = new VirtualClock();
    let armed = 0;
    const counting: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      timer(ms, fn) {
        armed += 1;
        return clock.timer(ms, fn);
      },
    };
    const queue = new WorkQueue({ clock: counting, name: 'test' });
    queue.add('a', { afterMs: 20 * DAY });
    await clock.advance(20 * DAY);
    expect(queue.depth).toBe(1);
    expect(armed).toBe(1);
  });

  test('are not moved by a jump of the wall clock', async () => {
    const { clock, queue } = setUp();
    queue.add('a', { afterMs: HOUR });
    clock.jump(100 * DAY);
    await clock.advance(HOUR - 1);
    expect(queue.depth).toBe(0);
    clock.jump(-200 * DAY);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  test.each([NaN, Infinity, -Infinity])('a delay of %d is refused', (afterMs) => {
    const { queue } = setUp();
    expect(() => queue.add('a', { afterMs })).toThrow(RangeError);
    expect(() => queue.addAt('a', afterMs)).toThrow(RangeError);
  });

  test('with a negative delay are ready at once', () => {
    const { queue } = setUp();
    queue.add('a', { afterMs: -5 });
    expect(queue.depth).toBe(1);
  });

  test('are not handed out once forgotten, and neither are ready ones', async () => {
    const { clock, queue } = setUp();
    queue.add('delayed', { afterMs: 1000 });
    queue.add('ready');
    queue.add('stays', { afterMs: 1000 });
    for (const key of ['delayed', 'ready', 'unknown']) queue.forget(key);
    await clock.advance(1000);
    expect(await drain(queue)).toEqual(['stays']);
  });
});

describe('ownership', () => {
  test('of another replica excludes a key', () => {
    const { queue } = setUp({ owns: (key) => key !== 'theirs' });
    queue.add('theirs');
    queue.add('ours');
    expect(queue.depth).toBe(1);
  });

  test('that changes while a key waits excludes it too', async () => {
    let mine = true;
    const { clock, queue } = setUp({ owns: (key) => mine || key === 'kept' });
    queue.add('lost', { afterMs: 1000 });
    mine = false;
    queue.add('kept', { afterMs: 2000 });
    const next = queue.next();
    await clock.advance(2000);
    expect((await next).key).toBe('kept');
  });
});

describe('waiting and shutting down', () => {
  test('an abort ends the wait and consumes no key', async () => {
    const { queue } = setUp();
    const abort = new AbortController();
    const waiting = queue.next(abort.signal);
    abort.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    queue.add('a');
    expect(await drain(queue)).toEqual(['a']);
  });

  test('an aborted signal gets nothing, even when a key is ready', async () => {
    const { queue } = setUp();
    queue.add('a');
    await expect(queue.next(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    expect(queue.depth).toBe(1);
  });

  test('shutting down resolves once all running keys are done', async () => {
    const { clock, queue } = setUp();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    queue.add('later', { afterMs: 1000 });
    await queue.next();
    await queue.next();
    let over = false;
    const shutDown = queue.shutDown().then(() => {
      over = true;
    });
    queue.done('a');
    await settle();
    expect(over).toBe(false);
    queue.done('b');
    await shutDown;
    expect({ depth: queue.depth, delayed: queue.delayed, timers: clock.pending }).toEqual({
      depth: 0,
      delayed: 0,
      timers: 0,
    });
  });

  test('after a shutdown, waiting workers, later workers and later adds get nothing', async () => {
    const { queue } = setUp();
    const waiting = queue.next();
    await queue.shutDown();
    await expect(waiting).rejects.toThrow(QueueShutDownError);
    queue.add('a');
    expect(queue.depth).toBe(0);
    await expect(queue.next()).rejects.toThrow(QueueShutDownError);
  });
});

test('metrics report depth, adds, waits, work and retries', async () => {
  const clock = new VirtualClock();
  const metrics = createMetrics({ process: false });
  const queue = new WorkQueue({ clock, name: 'issuers', metrics: metrics.queue });
  queue.add('a');
  queue.add('b');
  await clock.advance(2000);
  await queue.next();
  await clock.advance(3000);
  const labels = '{name="issuers",controller="issuers"}';
  const during = await metrics.registry.metrics();
  expect(during).toContain(`workqueue_depth${labels} 1\n`);
  expect(during).toContain(`workqueue_adds_total${labels} 2\n`);
  expect(during).toContain(`workqueue_unfinished_work_seconds${labels} 3\n`);
  expect(during).toContain(`workqueue_longest_running_processor_seconds${labels} 3\n`);
  expect(during).toContain(`workqueue_queue_duration_seconds_sum${labels} 2\n`);
  queue.retry('a', 1000);
  queue.done('a');
  const after = await metrics.registry.metrics();
  expect(after).toContain(`workqueue_work_duration_seconds_sum${labels} 3\n`);
  expect(after).toContain(`workqueue_retries_total${labels} 1\n`);
  expect(after).toContain(`workqueue_unfinished_work_seconds${labels} 0\n`);
});
