import { describe, expect, test } from 'vitest';
import { drain, setUp } from '../../../test/support/kube/queue.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('times on the wall clock', () => {
  test('in the past are due at once', () => {
    const { clock, queue } = setUp();
    queue.addAt('a', clock.now() - DAY);
    expect(queue.depth).toBe(1);
  });

  test('are due at their time', async () => {
    const { clock, queue } = setUp();
    queue.addAt('a', clock.now() + 60 * DAY);
    await clock.advance(60 * DAY - 1);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  test.each([
    ['an hour', HOUR],
    ['months', 60 * DAY],
  ])('a wall clock that jumps ahead by %s makes them late by a minute at most', async (_, ms) => {
    const { clock, queue } = setUp();
    queue.add('not on the wall', { afterMs: 90 * DAY });
    queue.addAt('a', clock.now() + ms);
    queue.addAt('later', clock.now() + 2 * ms);
    clock.jump(ms);
    await clock.advance(MINUTE);
    expect(await drain(queue)).toEqual(['a']);
  });

  test.each(['delay', 'time'])(
    'a key whose %s was added first is due after a jump all the same',
    async (first) => {
      const { clock, queue } = setUp();
      const add = {
        delay: () => queue.add('a', { afterMs: 90 * DAY }),
        time: () => queue.addAt('a', clock.now() + 60 * DAY),
      };
      const both = first === 'delay' ? [add.delay, add.time] : [add.time, add.delay];
      for (const one of both) one();
      clock.jump(60 * DAY);
      await clock.advance(MINUTE);
      expect(await drain(queue)).toEqual(['a']);
      expect(clock.pending).toBe(0);
    },
  );

  test('are neither early nor late if the clock drifts a little every minute', async () => {
    const { clock, queue } = setUp();
    const at = clock.now() + 3 * HOUR;
    queue.addAt('a', at);
    while (queue.depth === 0) {
      clock.jump(clock.monotonic() % (2 * MINUTE) === 0 ? 30 : 20);
      await clock.advance(MINUTE / 2);
    }
    expect(clock.now()).toBeGreaterThanOrEqual(at);
    expect(clock.now()).toBeLessThanOrEqual(at + MINUTE);
  });

  test('are not early if the wall clock jumps back', async () => {
    const { clock, queue } = setUp();
    const at = clock.now() + 2 * HOUR;
    queue.addAt('a', at);
    clock.jump(-10 * HOUR);
    await clock.advance(12 * HOUR - 1);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(clock.now()).toBe(at);
    expect(queue.depth).toBe(1);
  });

  test('compete with delays: the earlier one counts', async () => {
    const { clock, queue } = setUp();
    queue.addAt('wall first', clock.now() + 1000);
    queue.add('wall first', { afterMs: HOUR });
    queue.add('delay first', { afterMs: 1000 });
    queue.addAt('delay first', clock.now() + HOUR);
    await clock.advance(1000);
    expect(await drain(queue)).toEqual(['wall first', 'delay first']);
    await clock.advance(2 * HOUR);
    expect(queue.depth).toBe(0);
  });
});
