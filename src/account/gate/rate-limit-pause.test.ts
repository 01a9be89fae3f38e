import { expect, test } from 'vitest';
import { eased, limited, NEVER_LIMITED, over, type Pause, pauseLeft } from './rate-limit-pause.ts';

const NOW = { wall: 1_000_000, monotonic: 500 };
const later = (ms: number) => ({ wall: NOW.wall + ms, monotonic: NOW.monotonic + ms });

test.each([
  ['as long as the CA asked', 90_000, 90_000],
  ['at least a second', 0, 1_000],
  ['half a minute if the CA named no time', undefined, 30_000],
  ['longer than any guess if the CA asked for that', 3_600_000, 3_600_000],
])('a pause lasts %s', (_, retryAfterMs, want) => {
  const pause = limited(NEVER_LIMITED, retryAfterMs, NOW);
  expect(pauseLeft(NEVER_LIMITED, NOW)).toBe(0);
  expect(pauseLeft(pause, NOW)).toBe(want);
  expect(pause.until).toEqual(later(want));
});

test.each([
  ['a shorter one', 10_000, false, 60_000],
  ['a longer one', 70_000, true, 70_000],
  ['one that is guessed', undefined, false, 60_000],
])('during a pause %s changes it only if it lasts longer', (_, retryAfterMs, isLonger, left) => {
  const before = limited(NEVER_LIMITED, 60_000, NOW);
  const after = limited(before, retryAfterMs, NOW);
  expect(after !== before).toBe(isLonger);
  expect(pauseLeft(after, NOW)).toBe(left);
});

test('the end stays known until something succeeds after it', () => {
  const pause = limited(NEVER_LIMITED, 30_000, NOW);
  expect(eased(pause, NOW).until).toEqual(later(30_000));
  expect(over(pause, NOW)).toBe(pause);
  expect(pauseLeft(pause, later(30_000))).toBe(0);
  expect(eased(pause, later(30_000)).until).toBeUndefined();
  expect(over(pause, later(30_000)).until).toBeUndefined();
});

test('guesses grow only with rate limits that came one after the other', () => {
  let at = NOW;
  let pause: Pause = NEVER_LIMITED;
  const guess = (): number => {
    pause = limited(pause, undefined, at);
    const left = pauseLeft(pause, at);
    at = { wall: at.wall + left, monotonic: at.monotonic + left };
    return left / 1000;
  };
  expect([guess(), guess(), guess()]).toEqual([30, 60, 120]);
  pause = eased(pause, at);
  expect(guess()).toBe(120);
  for (let i = 0; i < 10; i += 1) pause = eased(pause, at);
  expect(guess()).toBe(30);
});

test('a wall clock that jumps does not change what is left', () => {
  const pause = limited(NEVER_LIMITED, 30_000, NOW);
  expect(pauseLeft(pause, { ...NOW, wall: NOW.wall - 3_600_000 })).toBe(30_000);
});
