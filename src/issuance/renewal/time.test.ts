import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leastAge, renewalTime, type RenewalWish, spreadRenewalTime } from './time.ts';

const day = 86_400_000;

describe('without jitter', () => {
  test.each([
    ['without a wish in the last third', {}, 90 * day, 60 * day],
    ['as long before the end as asked', { renewBefore: 10 * day }, 90 * day, 80 * day],
    ['by percent of the lifetime', { renewBeforePercentage: 10 }, 90 * day, 81 * day],
    ['in the last third if more is asked than the lifetime', { renewBefore: 91 * day }, 90 * day, 60 * day],
    ['in the last third if just the lifetime is asked', { renewBefore: 90 * day }, 90 * day, 60 * day],
    [
      'in the last third if nearly the lifetime is asked',
      { renewBefore: 90 * day - 1000 },
      90 * day,
      60 * day,
    ],
    ['within seconds if the certificate lives for seconds', {}, 30_000, 20_000],
    ['on a whole second', {}, 10_000, 6_000],
    ['a second after it began at the earliest', { renewBeforePercentage: 99 }, 3_000, 1_000],
  ])('a certificate is renewed %s', (_, wish, lifetime, want) => {
    expect(renewalTime(0, lifetime, wish)).toBe(want);
  });
});

describe('with jitter', () => {
  test.each<[string, RenewalWish, number, number]>([
    ['at its time for the share 0', {}, 0, 60 * day],
    ['a tenth of what is left earlier for the share 1', {}, 1, 57 * day],
    ['half of that earlier for the share 0.5', {}, 0.5, 58.5 * day],
    ['by as much as is asked', { jitterPercent: 50 }, 1, 45 * day],
    ['not at all if that is asked', { jitterPercent: 0 }, 1, 60 * day],
    ['after half of the time at the earliest', { renewBeforePercentage: 80, jitterPercent: 50 }, 1, 9 * day],
  ])('a certificate is renewed %s', (_, wish, share, want) => {
    expect(spreadRenewalTime(0, 90 * day, wish, share)).toBe(want);
  });

  const wishes = fc.record(
    {
      renewBefore: fc.integer({ min: 300_000, max: 8640 * 3_600_000 }),
      renewBeforePercentage: fc.integer({ min: 1, max: 99 }),
      jitterPercent: fc.integer({ min: 0, max: 50 }),
    },
    { requiredKeys: [] },
  );
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const seconds = fc.oneof(fc.integer({ min: 2, max: 120 }), fc.integer({ min: 2, max: 20 * 365 * 86_400 }));

  test('it comes between the least age and the time without jitter, by no more than was asked, for any lifetime', () => {
    fc.assert(
      fc.property(wishes, share, seconds, fc.nat({ max: 4e9 }), (wish, place, lifetime, begin) => {
        const [notBefore, notAfter] = [begin * 1000, (begin + lifetime) * 1000];
        const latest = renewalTime(notBefore, notAfter, wish);
        const time = spreadRenewalTime(notBefore, notAfter, wish, place);

        expect(time % 1000).toBe(0);
        expect(time).toBeLessThanOrEqual(latest);
        expect(time).toBeLessThan(notAfter);
        expect(time).toBeGreaterThanOrEqual(notBefore + leastAge(notBefore, notAfter, wish));
        expect(latest - time).toBeLessThanOrEqual(((notAfter - latest) * (wish.jitterPercent ?? 10)) / 100);
      }),
    );
  });
});
