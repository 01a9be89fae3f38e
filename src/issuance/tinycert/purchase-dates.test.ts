import { expect, test } from 'vitest';
import { ISSUED } from '../../../test/support/inputs/inputs.ts';
import { tinycertKind } from './kind.ts';
import { datesOf } from './purchase-dates.ts';

test.each([
  ['that agrees with ours', { ms: 0, uncertaintyMs: 500 }, -3_500, 48_500],
  ['a minute ahead', { ms: 60_000, uncertaintyMs: 500 }, 56_500, 108_500],
  ['an hour behind', { ms: -3_600_000, uncertaintyMs: 2_000 }, -3_605_000, -3_550_000],
  ['that is unknown', undefined, -303_000, 348_000],
])('windowStart, windowEnd: the CA dates a purchase by its own clock, one %s', (_, offset, since, until) => {
  expect(datesOf(ISSUED, tinycertKind.timing, offset)).toEqual({
    since: ISSUED + since,
    until: ISSUED + until,
  });
});
