import { expect, test } from 'vitest';
import { renewalTime } from './renewal-time.ts';

const day = 86_400_000;

test.each([
  ['without a wish in the last third', {}, 90 * day, 60 * day],
  ['as long before the end as asked', { renewBefore: 10 * day }, 90 * day, 80 * day],
  ['by percent of the lifetime', { renewBeforePercentage: 10 }, 90 * day, 81 * day],
  ['in the last third if more is asked than the lifetime', { renewBefore: 91 * day }, 90 * day, 60 * day],
  ['in the last third if just the lifetime is asked', { renewBefore: 90 * day }, 90 * day, 60 * day],
  ['within seconds if the certificate lives for seconds', {}, 30_000, 20_000],
  ['on a whole second', {}, 10_000, 6_000],
])('a certificate is renewed %s', (_, wish, lifetime, want) => {
  expect(renewalTime(0, lifetime, wish)).toBe(want);
});
