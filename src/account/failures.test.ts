import { expect, test } from 'vitest';
import { CHECK_AFTER_FAULT, Failures, FRESH_MS } from './failures.ts';

const account = { name: 'one' };
const setup = (): Failures<object> => new Failures(() => 0.5);

test.each([
  ['at once', account, 1, 0, true],
  ['until the last moment', account, 1, FRESH_MS - 1, true],
  ['no longer than that', account, 1, FRESH_MS, false],
  ['not for another account', { name: 'one' }, 1, 0, false],
  ['not for another generation', account, 2, 0, false],
])('a successful check is fresh %s', (_, asked, generation, afterMs, want) => {
  const failures = setup();
  failures.succeeded('a', account, 1, 1_000);
  expect(failures.isFresh('a', asked, generation, 1_000 + afterMs)).toBe(want);
  expect(failures.isFresh('b', asked, generation, 1_000 + afterMs)).toBe(false);
});

test('failed checks are counted per holder until one succeeds', () => {
  const failures = setup();
  expect([failures.count('a'), failures.count('a'), failures.count('b')]).toEqual([1, 2, 1]);
  failures.succeeded('a', account, 1, 0);
  expect([failures.count('a'), failures.count('b')]).toEqual([1, 2]);
});

test('faults are checked after longer and longer waits, also if checks succeed between them', () => {
  const failures = setup();
  const waits: number[] = [];
  for (let i = 0; i < 11; i += 1) {
    waits.push(failures.fault('a', i * 1_000) / 1000);
    failures.succeeded('a', account, 1, i * 1_000);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
});

test('the count of faults starts again after twice the longest wait without one', () => {
  const failures = setup();
  for (let i = 0; i < 5; i += 1) failures.fault('a', 0);
  const quietMs = 2 * CHECK_AFTER_FAULT.max;
  expect(failures.fault('a', quietMs)).toBe(32_000);
  expect(failures.fault('a', 2 * quietMs + 1)).toBe(1_000);
});

test('nothing is known of a holder that was forgotten', () => {
  const failures = setup();
  failures.count('a');
  failures.fault('a', 0);
  failures.fault('a', 0);
  failures.succeeded('a', account, 1, 0);
  failures.count('a');
  failures.forget('a');
  expect(failures.count('a')).toBe(1);
  expect(failures.isFresh('a', account, 1, 0)).toBe(false);
  expect(failures.fault('a', 0)).toBe(1_000);
});
