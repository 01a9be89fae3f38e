import { expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { accelerated, acceleration } from './accelerated-clock.ts';

test('the time of day runs faster from the epoch on, and timers fire sooner', async () => {
  const real = new VirtualClock();
  const epoch = real.now();
  const fast = accelerated(real, { speed: 10, epoch });
  const started = fast.monotonic();
  const slept = fast.sleep(60_000);

  await real.advance(6_000);

  await slept;
  expect(fast.now()).toBe(epoch + 60_000);
  expect(fast.monotonic() - started).toBe(60_000);
});

test.each([
  ['10@1700000000000', { speed: 10, epoch: 1_700_000_000_000 }],
  ['0@1', undefined],
  ['-1@1', undefined],
  ['10', undefined],
  ['', undefined],
  [undefined, undefined],
])('%s is parsed as %o', (text, expected) => {
  expect(acceleration(text)).toEqual(expected);
});
