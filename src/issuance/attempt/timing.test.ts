import { expect, test } from 'vitest';
import { ISSUED } from '../../../test/support/inputs.ts';
import { datesOf, defaultTiming } from './timing.ts';

test.each([
  ['the same clock', { ms: 0, uncertaintyMs: 500 }, -3_500, 48_500],
  ['a clock ahead by a minute', { ms: 60_000, uncertaintyMs: 500 }, 56_500, 108_500],
  ['a clock an hour behind', { ms: -3_600_000, uncertaintyMs: 2_000 }, -3_605_000, -3_550_000],
  ['an unknown clock', undefined, -303_000, 348_000],
])('windowStart, windowEnd: what an attempt buys is dated by the CA, by %s', (_, offset, since, until) => {
  expect(datesOf(ISSUED, defaultTiming, offset)).toEqual({ since: ISSUED + since, until: ISSUED + until });
});
