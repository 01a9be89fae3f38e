import { array, assert, double, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { median, pairRatios, percentile, rounded, spread } from './statistics.ts';

const samples = array(double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('the median', () => {
  test.each([
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])('of %j is %d, whatever the order', (values, want) => {
    expect(median(values)).toBe(want);
  });

  test('has no more than half of the values on either side', () => {
    assert(
      property(samples, (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  test('leaves the sample unchanged', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('a percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  test.each([
    [50, 50],
    [95, 95],
    [99.5, 100],
    [100, 100],
    [0.1, 1],
  ])('of 1 to 100 at %d is %d', (percent, want) => {
    expect(percentile(hundred, percent)).toBe(want);
  });

  test('is the value of the sample that the requested share does not exceed', () => {
    assert(
      property(samples, integer({ min: 1, max: 100 }), (values, percent) => {
        const value = percentile(values, percent);
        const share = values.filter((other) => other <= value).length / values.length;
        expect(values).toContain(value);
        expect(share).toBeGreaterThanOrEqual(percent / 100);
      }),
    );
  });

  test.each([0, -1, 101, Number.NaN])('at %d is refused', (percent) => {
    expect(() => percentile([1], percent)).toThrow(RangeError);
  });
});

test('the spread is the least and the greatest value', () => {
  expect(spread([3, 1, 2])).toEqual([1, 3]);
  expect(spread([7])).toEqual([7, 7]);
});

test('an empty sample is an error', () => {
  expect(() => median([])).toThrow(RangeError);
  expect(() => percentile([], 50)).toThrow(RangeError);
  expect(() => spread([])).toThrow(RangeError);
});

test('ratios are taken pair by pair, so a load on both halves of a pair cancels out', () => {
  expect(pairRatios([50, 100], [100, 200])).toEqual([0.5, 0.5]);
  expect(() => pairRatios([1], [])).toThrow(RangeError);
});

test('rounding keeps a number', () => {
  expect(rounded(0.123_456, 2)).toBe(0.12);
  expect(rounded(130, 1)).toBe(130);
});
