import { expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { RateLimitPause } from './rate-limit-pause.ts';

function setup() {
  const clock = new VirtualClock();
  return { clock, pause: new RateLimitPause(clock) };
}

test.each([
  ['as long as the CA asked', 90_000, 90_000],
  ['at least a second', 0, 1_000],
  ['half a minute if the CA named no time', undefined, 30_000],
  ['longer than any guess if the CA asked for that', 3_600_000, 3_600_000],
])('a pause lasts %s', (_, retryAfterMs, want) => {
  const { clock, pause } = setup();
  expect([pause.left, pause.blockedUntil]).toEqual([0, undefined]);
  expect(pause.limited(retryAfterMs)).toBe(true);
  expect(pause.left).toBe(want);
  expect(pause.blockedUntil).toBe(clock.now() + want);
});

test.each([
  ['a shorter one', 10_000, false, 60_000],
  ['a longer one', 70_000, true, 70_000],
  ['one that is guessed', undefined, false, 60_000],
])('during a pause %s changes it only if it lasts longer', (_, retryAfterMs, isLonger, left) => {
  const { pause } = setup();
  pause.limited(60_000);
  expect(pause.limited(retryAfterMs)).toBe(isLonger);
  expect(pause.left).toBe(left);
});

test('the end stays known until something succeeds after it', async () => {
  const { clock, pause } = setup();
  pause.limited(30_000);
  const until = clock.now() + 30_000;
  expect(pause.succeeded()).toBe(false);
  expect(pause.over()).toBe(false);
  await clock.advance(30_000);
  expect([pause.left, pause.blockedUntil]).toEqual([0, until]);
  expect(pause.succeeded()).toBe(true);
  expect(pause.blockedUntil).toBeUndefined();
  expect(pause.over()).toBe(false);
});

test('guesses grow only with rate limits that came one after the other', async () => {
  const { clock, pause } = setup();
  const guess = async (): Promise<number> => {
    pause.limited(undefined);
    const { left } = pause;
    await clock.advance(left);
    return left / 1000;
  };
  expect([await guess(), await guess(), await guess()]).toEqual([30, 60, 120]);
  pause.succeeded();
  expect(await guess()).toBe(120);
  for (let i = 0; i < 10; i += 1) pause.succeeded();
  expect(await guess()).toBe(30);
});

test('a wall clock that jumps does not change what is left', () => {
  const { clock, pause } = setup();
  pause.limited(30_000);
  clock.jump(-3_600_000);
  expect(pause.left).toBe(30_000);
});
