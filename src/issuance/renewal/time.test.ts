import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leastAge, renewalTime, type RenewalWish, spreadRenewalTime } from './time.ts';

const day = 86_400_000;

describe('without jitter', () => {
  test.each([
    ['by default in the last third', {}, 90 * day, 60 * day],
    ['as long before expiry as requested', { renewBefore: 10 * day }, 90 * day, 80 * day],
    ['by percent of the lifetime', { renewBeforePercentage: 10 }, 90 * day, 81 * day],
    [
      'in the last third if more than the lifetime is requested',
      { renewBefore: 91 * day },
      90 * day,
      60 * day,
    ],
    ['in the last third if exactly the lifetime is requested', { renewBefore: 90 * day }, 90 * day, 60 * day],
    [
      'in the last third if nearly the lifetime is requested',
      { renewBefore: 90 * day - 1000 },
      90 * day,
      60 * day,
    ],
    ['within seconds if the certificate lives for seconds', {}, 30_000, 20_000],
    ['on a whole second', {}, 10_000, 6_000],
    ['no earlier than a second after it began', { renewBeforePercentage: 99 }, 3_000, 1_000],
  ])('a certificate is renewed %s', (_, wish, lifetime, want) => {
    expect(renewalTime(0, lifetime, wish)).toBe(want);
  });
});

describe('with jitter', () => {
  test.each<[string, RenewalWish, number, number]>([
    ['at its renewal time for the share 0', {}, 0, 60 * day],
    ['earlier by a tenth of the remaining time for the share 1', {}, 1, 57 * day],
    ['earlier by half of that for the share 0.5', {}, 0.5, 58.5 * day],
    ['earlier by as much as requested', { jitterPercent: 50 }, 1, 45 * day],
    ['at its renewal time if no jitter is requested', { jitterPercent: 0 }, 1, 60 * day],
    ['no earlier than its minimum age', { renewBeforePercentage: 80, jitterPercent: 50 }, 1, 9 * day],
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

  test('renewal comes between the minimum age and the time without jitter, no earlier than requested, for any lifetime', () => {
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
