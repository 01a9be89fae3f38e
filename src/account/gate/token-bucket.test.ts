import { expect, test } from 'vitest';
import { available, type Bucket, nextTokenAt, type Rate, taken } from './token-bucket.ts';

function setup(rate: Rate) {
  let now = 0;
  let bucket: Bucket = { tokens: rate.burst, at: now };
  return {
    pass: (ms: number) => (now += ms),
    available: () => available(bucket, rate, now),
    nextMs: () => nextTokenAt(bucket, rate, now) - now,
    take: () => (bucket = taken(bucket, rate, now)),
    takeAll: (): number => {
      let count = 0;
      for (; available(bucket, rate, now) > 0; count += 1) bucket = taken(bucket, rate, now);
      return count;
    },
  };
}

test('a full bucket has a burst, and no quiet period gives more', () => {
  const bucket = setup({ perMinute: 60, burst: 5 });
  expect(bucket.takeAll()).toBe(5);
  bucket.pass(3_600_000);
  expect(bucket.available()).toBe(5);
});

test('tokens come back at the rate', () => {
  const bucket = setup({ perMinute: 30, burst: 5 });
  bucket.takeAll();
  bucket.pass(1_999);
  expect(bucket.takeAll()).toBe(0);
  bucket.pass(1);
  expect(bucket.takeAll()).toBe(1);
  bucket.pass(6_000);
  expect(bucket.takeAll()).toBe(3);
});

test.each([1, 7, 11, 13, 60, 90, 600])(
  'at %i per minute the next token is there after exactly the wait',
  (perMinute) => {
    const bucket = setup({ perMinute, burst: 3 });
    bucket.takeAll();
    for (let i = 0; i < 50; i += 1) {
      bucket.pass(bucket.nextMs());
      expect(bucket.available()).toBe(1);
      bucket.take();
    }
  },
);
