import { expect, test } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { type Rate, TokenBucket } from './token-bucket.ts';

function setup(rate: Rate) {
  const clock = new VirtualClock();
  const bucket = new TokenBucket(rate, clock);
  const takeAll = (): number => {
    let taken = 0;
    for (; bucket.available > 0; taken += 1) bucket.take();
    return taken;
  };
  return { clock, bucket, takeAll };
}

test('a full bucket has a burst, and no quiet period gives more', async () => {
  const { clock, bucket, takeAll } = setup({ perMinute: 60, burst: 5 });
  expect(takeAll()).toBe(5);
  await clock.advance(3_600_000);
  expect(bucket.available).toBe(5);
});

test('tokens come back at the rate', async () => {
  const { clock, takeAll } = setup({ perMinute: 30, burst: 5 });
  takeAll();
  await clock.advance(1_999);
  expect(takeAll()).toBe(0);
  await clock.advance(1);
  expect(takeAll()).toBe(1);
  await clock.advance(6_000);
  expect(takeAll()).toBe(3);
});

test.each([1, 7, 11, 13, 60, 90, 600])(
  'at %i per minute the next token is there after exactly the wait',
  async (perMinute) => {
    const { clock, bucket, takeAll } = setup({ perMinute, burst: 3 });
    takeAll();
    for (let i = 0; i < 50; i += 1) {
      await clock.advance(bucket.nextMs);
      expect(bucket.available).toBe(1);
      bucket.take();
    }
  },
);
