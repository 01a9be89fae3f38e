import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from './clock.ts';

const DAY = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([10, 24, 25, 50, 400])('a timer of %d days fires after that many, and not before', (days) => {
  let fired = 0;
  systemClock.timer(days * DAY, () => {
    fired += 1;
  });
  vi.advanceTimersByTime(days * DAY - 1);
  expect(fired).toBe(0);
  vi.advanceTimersByTime(1);
  expect(fired).toBe(1);
  vi.advanceTimersByTime(100 * DAY);
  expect(fired).toBe(1);
});

test('a timer that is cancelled in its second month does not fire', () => {
  let fired = 0;
  const cancel = systemClock.timer(60 * DAY, () => {
    fired += 1;
  });
  vi.advanceTimersByTime(40 * DAY);
  cancel();
  vi.advanceTimersByTime(60 * DAY);
  expect(fired).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
