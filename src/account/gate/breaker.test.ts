import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { Breaker, type BreakerState } from './breaker.ts';

const FAULT = { reason: 'UnknownError', message: 'TinyCert failed without giving a reason.' };
const OTHER = { reason: 'Timeout', message: 'TinyCert did not answer in time.' };

function setup() {
  const clock = new VirtualClock();
  const states: BreakerState[] = [];
  const breaker: Breaker = new Breaker({
    clock,
    random: () => 0.5,
    onChange: () => states.push(breaker.state),
  });
  return { clock, breaker, states };
}

/** Brings a breaker into a state. */
const reach: Record<BreakerState, (breaker: Breaker) => void> = {
  closed: () => undefined,
  open: (breaker) => breaker.issuingFailed(FAULT, breaker.epoch),
  'half-open': (breaker) => {
    breaker.issuingFailed(FAULT, breaker.epoch);
    breaker.checkSucceeded();
  },
};

type Step = (breaker: Breaker, epoch: number) => void;
const issuingFails: Step = (breaker, epoch) => breaker.issuingFailed(FAULT, epoch);
const issuingSucceeds: Step = (breaker, epoch) => breaker.issuingSucceeded(epoch);
const checkFails: Step = (breaker) => breaker.checkFailed(FAULT);
const checkSucceeds: Step = (breaker) => breaker.checkSucceeded();

test.each<[BreakerState, string, BreakerState, Step]>([
  ['closed', 'a failed issuance', 'open', issuingFails],
  ['closed', 'a failed check', 'open', checkFails],
  ['closed', 'a successful issuance', 'closed', issuingSucceeds],
  ['closed', 'a successful check', 'closed', checkSucceeds],
  ['open', 'a failed issuance', 'open', issuingFails],
  ['open', 'a failed check', 'open', checkFails],
  ['open', 'a successful issuance', 'open', issuingSucceeds],
  ['open', 'a successful check', 'half-open', checkSucceeds],
  ['half-open', 'a failed issuance', 'open', issuingFails],
  ['half-open', 'a failed check', 'open', checkFails],
  ['half-open', 'a successful issuance', 'closed', issuingSucceeds],
  ['half-open', 'a successful check', 'half-open', checkSucceeds],
])('%s, after %s: %s', (before, _, after, step) => {
  const { breaker } = setup();
  reach[before](breaker);
  step(breaker, breaker.epoch);
  expect(breaker.state).toBe(after);
});

describe('an epoch', () => {
  test('begins each time the breaker opens, not with a further fault', () => {
    const { breaker } = setup();
    expect(breaker.epoch).toBe(0);
    breaker.checkFailed(FAULT);
    breaker.checkFailed(FAULT);
    expect(breaker.epoch).toBe(1);
    breaker.checkSucceeded();
    breaker.checkFailed(FAULT);
    expect(breaker.epoch).toBe(2);
  });

  test.each([
    ['failed', issuingFails],
    ['successful', issuingSucceeds],
  ])('that is over makes a %s issuance count for nothing', (_, step) => {
    const { breaker } = setup();
    const { epoch } = breaker;
    reach['half-open'](breaker);
    step(breaker, epoch);
    expect(breaker.state).toBe('half-open');
  });
});

describe('a check', () => {
  test('is due when the wait is over, and is one at a time while the breaker is open', async () => {
    const { clock, breaker } = setup();
    breaker.checkFailed(FAULT);
    expect(breaker.check()).toEqual({ go: false, waitMs: 5_000 });
    expect(breaker.nextCheck).toBe(clock.now() + 5_000);
    await clock.advance(5_000);
    const check = breaker.check();
    expect(check.go).toBe(true);
    expect(breaker.check()).toEqual({ go: false, waitMs: 5_000 });
    if (check.go) check.end();
    expect(breaker.check().go).toBe(true);
  });

  test('is always granted unless the breaker is open', () => {
    const { breaker } = setup();
    expect([breaker.check().go, breaker.check().go]).toEqual([true, true]);
    expect(breaker.nextCheck).toBeUndefined();
    reach['half-open'](breaker);
    expect([breaker.check().go, breaker.check().go]).toEqual([true, true]);
  });

  test('that succeeds resets the delays of checks and not those of issuances', async () => {
    const { clock, breaker } = setup();
    breaker.checkFailed(FAULT);
    breaker.checkFailed(FAULT);
    expect(breaker.check()).toMatchObject({ waitMs: 10_000 });
    breaker.checkSucceeded();
    breaker.checkFailed(FAULT);
    expect(breaker.check()).toMatchObject({ waitMs: 5_000 });
    await clock.advance(5_000);
    breaker.checkSucceeded();
    for (const waitMs of [1_000, 10_000]) {
      breaker.issuingFailed(FAULT, breaker.epoch);
      expect(breaker.check()).toMatchObject({ waitMs });
      breaker.checkSucceeded();
    }
  });

  test('is due at once after a change that may have mended the account', () => {
    const { clock, breaker } = setup();
    breaker.hurry();
    expect(breaker.state).toBe('closed');
    breaker.checkFailed(FAULT);
    breaker.hurry();
    expect(breaker.nextCheck).toBe(clock.now());
    expect(breaker.check().go).toBe(true);
  });
});

test('the fault is the last one until the breaker closes', () => {
  const { breaker } = setup();
  expect(breaker.fault).toBeUndefined();
  reach['half-open'](breaker);
  breaker.checkFailed(OTHER);
  expect(breaker.fault).toEqual(OTHER);
  breaker.checkSucceeded();
  expect(breaker.fault).toEqual(OTHER);
  breaker.issuingSucceeded(breaker.epoch);
  expect(breaker.fault).toBeUndefined();
});

test('each change of state is reported', () => {
  const { breaker, states } = setup();
  reach['half-open'](breaker);
  breaker.issuingSucceeded(breaker.epoch);
  breaker.issuingSucceeded(breaker.epoch);
  expect(states).toEqual(['open', 'half-open', 'closed']);
});
