import { expect, test } from 'vitest';
import { MAX_RETRY_AFTER_MS, parseRetryAfter } from './retry-after.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

test.each([
  ['seconds', '7', 7000],
  ['zero', '0', 0],
  ['space around', ' 7 ', 7000],
  ['a date', 'Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['an old date form', 'Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
  ['a date that has passed', 'Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ['the first of two', ['7', '9'], 7000],
  ['a year of seconds, cut to a day', '31536000', 86_400_000],
  ['nothing', undefined, undefined],
  ['an empty text', '', undefined],
  ['a fraction', '1.5', undefined],
  ['a negative number', '-3', undefined],
  ['a word', 'soon', undefined],
])('Retry-After with %s', (_name, header, expected) => {
  expect(parseRetryAfter(header, now)).toBe(expected);
});

test('the longest accepted wait is a day', () => {
  expect(MAX_RETRY_AFTER_MS).toBe(24 * 3_600_000);
});
