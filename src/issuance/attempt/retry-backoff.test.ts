import { describe, expect, test } from 'vitest';
import { MAX_FAILURE_MESSAGE } from '../../api/schema/failure.ts';
import { RETRY_BACKOFF, afterFailure } from './retry-backoff.ts';

const NOW = Date.parse('2026-01-01T00:00:00.400Z');
const MINUTE = 60_000;

const why = { reason: 'InputFailure', message: 'No such country.' };
const metadata = { name: 'web', generation: 3 };

function after(failedAttempts: number | undefined, options?: Parameters<typeof afterFailure>[3]) {
  const status = failedAttempts === undefined ? {} : { failedAttempts };
  return afterFailure({ metadata, status }, NOW, why, options);
}

test.each([
  [undefined, 1],
  [0, 1],
  [1, 2],
  [4, 16],
  [8, 256],
  [9, 480],
  [500, 480],
])('after %s failures, the next wait is about %i minutes', (failedAttempts, minutes) => {
  const { change, requeueAfterMs = 0 } = after(failedAttempts);
  expect(change.failedAttempts).toBe((failedAttempts ?? 0) + 1);
  expect(requeueAfterMs).toBeGreaterThanOrEqual(minutes * MINUTE * 0.9);
  expect(requeueAfterMs).toBeLessThanOrEqual(minutes * MINUTE * 1.1 + 1_000);
});

describe('the time in status', () => {
  test('is a whole second, no later than the reconcile that it announces', () => {
    for (let i = 0; i < 100; i += 1) {
      const { change, requeueAfterMs = 0 } = after(3);
      const next = Date.parse(change.nextAttemptTime ?? '');
      expect(next % 1000).toBe(0);
      expect(next).toBeLessThanOrEqual(NOW + requeueAfterMs);
      expect(next).toBeGreaterThan(NOW + requeueAfterMs - 2_000);
    }
  });

  test('of the failure is now', () => {
    expect(after(3).change.lastFailureTime).toBe('2026-01-01T00:00:00Z');
  });
});

test('a resource without a status counts from one', () => {
  expect(afterFailure({ metadata }, NOW, why).change.failedAttempts).toBe(1);
});

test('a final failure waits for another spec', () => {
  expect(after(2, { isFinal: true })).toEqual({
    change: {
      failedAttempts: 3,
      lastFailureTime: '2026-01-01T00:00:00Z',
      lastFailure: { ...why, observedGeneration: 3 },
      nextAttemptTime: null,
    },
    requeueAfterMs: undefined,
  });
});

test('a long message is cut to what the schema admits', () => {
  const { change } = afterFailure({ metadata }, NOW, { ...why, message: 'x'.repeat(100_000) });
  expect(change.lastFailure.message).toHaveLength(MAX_FAILURE_MESSAGE);
});

test.each([
  ['longer than the backoff is kept', 3_600_000, 3_601_000],
  ['shorter than the backoff changes nothing', 5, RETRY_BACKOFF.base * 0.9],
])('a minimum wait %s', (_, leastMs, atLeast) => {
  expect(after(undefined, { leastMs }).requeueAfterMs).toBeGreaterThanOrEqual(atLeast);
});
