import { expect, test } from 'vitest';
import { latencyBounds, lifetimeSeconds, milliseconds } from './duration.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5m', 90_000],
  ['1h', 3_600_000],
  ['365d', 31_536_000_000],
  [250, 250],
])('%s is %d ms', (duration, want) => {
  expect(milliseconds(duration)).toBe(want);
});

test.each(['', '5', 's', '-1s', '1w', '1 h 2', 'NaN', -1, Number.NaN, Infinity])(
  '%j is refused',
  (duration) => {
    expect(() => milliseconds(duration)).toThrow(RangeError);
  },
);

test('a lifetime is at least one whole second', () => {
  expect(lifetimeSeconds('1999ms')).toBe(1);
  expect(() => lifetimeSeconds('999ms')).toThrow(/at least 1s/);
});

test('a latency is fixed or between two ascending bounds', () => {
  expect(latencyBounds('10ms')).toEqual({ min: 10, max: 10 });
  expect(latencyBounds({ min: 5, max: '1s' })).toEqual({ min: 5, max: 1000 });
  expect(() => latencyBounds({ min: 2, max: 1 })).toThrow(RangeError);
});
