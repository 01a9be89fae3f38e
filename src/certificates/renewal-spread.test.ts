import { expect, onTestFinished, test } from 'vitest';
import { RenewalRun } from '../../test/support/renewal-run.ts';

const HOUR = 3_600_000;
const keys = Array.from({ length: 10_000 }, (_, i) => `ns/web-${i}`);

test('ten thousand certificates with one expiry are renewed once each, evenly over the jitter span', async () => {
  // They live for ninety hours and are due after sixty, so that the span is three hours.
  const run = new RenewalRun({ lifetime: 90 * HOUR, spec: { renewal: { policy: 'RenewBefore' } } });
  run.begin(keys, 32);
  onTestFinished(() => run.end());
  await run.clock.advance(62 * HOUR);

  expect(run.purchases.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
  const bins = Array<number>(20).fill(0);
  for (const { at } of run.purchases) {
    const bin = Math.floor(((at - 57 * HOUR - 1) / (3 * HOUR)) * bins.length);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  // Five hundred each are expected; five standard deviations are 109.
  expect(bins).toHaveLength(20);
  for (const count of bins) expect(Math.abs(count - 500)).toBeLessThan(109);
}, 180_000);
