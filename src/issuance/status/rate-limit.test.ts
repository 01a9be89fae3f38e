import { expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { RateLimiter } from './rate-limit.ts';

test('the first repairs are made at once, then pauses double up to ten minutes, and peace ends them', async () => {
  const clock = new VirtualClock();
  const repairLimiter = new RateLimiter(clock);
  const pauses: number[] = [];
  const begins: boolean[] = [];
  for (let i = 0; i < 12; i += 1) {
    begins.push(repairLimiter.note('a'));
    const ms = repairLimiter.waits('a');
    pauses.push(Math.round(ms / 1000));
    await clock.advance(ms);
  }

  expect(begins.filter(Boolean)).toHaveLength(1);
  expect(begins[2]).toBe(true);
  expect(pauses.slice(0, 2)).toEqual([0, 0]);
  for (const [i, pause] of pauses.slice(2).entries()) {
    expect(pause).toBeGreaterThanOrEqual(Math.floor(Math.min(600, 5 * 2 ** i) * 0.9));
    expect(pause).toBeLessThanOrEqual(Math.ceil(Math.min(600, 5 * 2 ** i) * 1.1));
  }
  expect(repairLimiter.waits('b')).toBe(0);
  await clock.advance(1_800_000);
  expect(repairLimiter.note('a')).toBe(false);
  expect(repairLimiter.waits('a')).toBe(0);
});
