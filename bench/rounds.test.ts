import { expect, test } from 'vitest';
import { pollDelayMs } from './rounds.ts';

test.each([
  ['half of the time that is left', 100, 300, 1000, 1000],
  ['half of the time that is left', 200, 300, 1000, 250],
  ['soon near the end', 299, 300, 3000, 10],
  ['soon after the start, when nothing is known', 0, 300, 50, 200],
  ['within a second, however much is left', 1, 5000, 100, 1000],
])('the next poll comes after %s: %d of %d in %d ms', (_what, issued, count, elapsed, want) => {
  expect(pollDelayMs(issued, count, elapsed)).toBe(want);
});
