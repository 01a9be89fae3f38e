import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectLinear, runsOf } from '../../test/support/scaling.ts';
import { DurationError, formatDuration, parseDuration } from './duration.ts';

test.each([
  ['720h', 2_592_000_000],
  ['1h30m', 5_400_000],
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['1.s', 1000],
  ['250ms', 250],
  ['-1m30s', -90_000],
  ['+2s', 2000],
  ['0', 0],
  ['-0s', 0],
  ['0h0m0s', 0],
  ['1500us', 1.5],
  ['1500µs', 1.5],
  ['1m1m', 120_000],
])('%s is %d milliseconds', (text, ms) => {
  expect(parseDuration(text)).toBeCloseTo(ms, 9);
});

test.each([
  '',
  '-',
  '5',
  '1d',
  '1h ',
  ' 1h',
  'h',
  '1h30',
  '.h',
  '1..5s',
  '--1s',
  '1H',
  '1e3s',
  '99999999999999999h',
])('%j is refused', (text) => {
  expect(() => parseDuration(text)).toThrow(DurationError);
});

test.each(['1', '1h', '1.'])('a text that repeats %j is refused in linear time', (part) => {
  expectLinear(parseDuration, runsOf(part), { to: 1024 * 1024 });
});

test('the error keeps only the beginning of the text', () => {
  const long = 'x'.repeat(1000);
  expect(() => parseDuration(long)).toThrow(expect.objectContaining({ text: `${'x'.repeat(64)}…` }));
});

test.each([
  [0, '0s'],
  [5, '5ms'],
  [1500, '1.5s'],
  [90_000, '1m30s'],
  [3_600_000, '1h'],
  [5_400_000, '1h30m'],
  [2_592_000_000, '720h'],
  [-60_000, '-1m'],
])('%d milliseconds are written as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('a written duration reads back as the same duration', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => {
      expect(Math.round(parseDuration(formatDuration(ms)))).toBe(ms === 0 ? 0 : ms);
    }),
  );
});
