import { describe, expect, test } from 'vitest';
import {
  type Breaker,
  type BreakerState,
  checkFailed,
  checking,
  checkSucceeded,
  checkWait,
  CLOSED,
  hurried,
  issuingFailed,
  issuingSucceeded,
} from './breaker.ts';

const FAULT = { reason: 'UnknownError', message: 'TinyCert failed without giving a reason.' };
const OTHER = { reason: 'Timeout', message: 'TinyCert did not answer in time.' };
const NOW = { wall: 1_000_000, monotonic: 500 };
const random = (): number => 0.5;

const OPEN = issuingFailed(CLOSED, FAULT, NOW, random);
const HALF_OPEN = checkSucceeded(OPEN);
const states: Record<BreakerState, Breaker> = { closed: CLOSED, open: OPEN, 'half-open': HALF_OPEN };

type Step = (breaker: Breaker) => Breaker;
const issuingFails: Step = (breaker) => issuingFailed(breaker, FAULT, NOW, random);
const checkFails: Step = (breaker) => checkFailed(breaker, FAULT, NOW, random);
const hurries: Step = (breaker) => hurried(breaker, NOW);

test.each<[BreakerState, string, BreakerState, Step]>([
  ['closed', 'a failed issuance', 'open', issuingFails],
  ['closed', 'a failed check', 'open', checkFails],
  ['closed', 'a successful issuance', 'closed', issuingSucceeded],
  ['closed', 'a successful check', 'closed', checkSucceeded],
  ['closed', 'a change that may have mended it', 'closed', hurries],
  ['open', 'a failed issuance', 'open', issuingFails],
  ['open', 'a failed check', 'open', checkFails],
  ['open', 'a successful issuance', 'open', issuingSucceeded],
  ['open', 'a successful check', 'half-open', checkSucceeded],
  ['open', 'a change that may have mended it', 'open', hurries],
  ['half-open', 'a failed issuance', 'open', issuingFails],
  ['half-open', 'a failed check', 'open', checkFails],
  ['half-open', 'a successful issuance', 'closed', issuingSucceeded],
  ['half-open', 'a successful check', 'half-open', checkSucceeded],
  ['half-open', 'a change that may have mended it', 'half-open', hurries],
])('%s, after %s: %s', (before, _, after, step) => {
  expect(step(states[before]).state).toBe(after);
});

test('an open breaker closes after a check if no issuance had failed', () => {
  expect(checkSucceeded(checkFails(CLOSED))).toEqual(CLOSED);
});

describe('a check', () => {
  test('is due when the wait is over, and is one at a time while the breaker is open', () => {
    const open = checkFails(CLOSED);
    expect(checkWait(open, NOW)).toBe(5_000);
    expect(open.nextCheck).toEqual({ wall: NOW.wall + 5_000, monotonic: NOW.monotonic + 5_000 });
    const later = { wall: NOW.wall, monotonic: NOW.monotonic + 5_000 };
    expect(checkWait(open, later)).toBe(0);
    const underWay = checking(open, true);
    expect(checkWait(underWay, later)).toBe(5_000);
    expect(checkWait(checking(underWay, false), later)).toBe(0);
  });

  test.each<BreakerState>(['closed', 'half-open'])('is always granted while the breaker is %s', (state) => {
    expect(checkWait(checking(states[state], true), NOW)).toBe(0);
  });

  test('that succeeds resets the delays of checks and not those of issuances', () => {
    const twice = checkFails(checkFails(CLOSED));
    expect(checkWait(twice, NOW)).toBe(10_000);
    expect(checkWait(checkFails(checkSucceeded(twice)), NOW)).toBe(5_000);
    let breaker = CLOSED;
    const waits = Array.from({ length: 6 }, () => {
      breaker = issuingFails(checkSucceeded(breaker));
      return checkWait(breaker, NOW) / 1000;
    });
    expect(waits).toEqual([1, 10, 60, 240, 240, 240]);
  });

  test('that fails is followed by the next one half a minute later at most', () => {
    let breaker = CLOSED;
    const waits = Array.from({ length: 5 }, () => {
      breaker = checkFails(breaker);
      return checkWait(breaker, NOW) / 1000;
    });
    expect(waits).toEqual([5, 10, 20, 30, 30]);
  });

  test('is due at once after a change that may have mended the account', () => {
    expect(checkWait(hurries(checkFails(CLOSED)), NOW)).toBe(0);
  });
});

test('the fault is the last one until the breaker closes', () => {
  const again = checkFailed(HALF_OPEN, OTHER, NOW, random);
  expect(again.fault).toEqual(OTHER);
  expect(checkSucceeded(again).fault).toEqual(OTHER);
  expect(issuingSucceeded(checkSucceeded(again)).fault).toBeUndefined();
});
