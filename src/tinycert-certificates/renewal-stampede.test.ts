import { expect, onTestFinished, test } from 'vitest';
import { RenewalRun } from '../../test/support/inputs/renewal-run.ts';
import { Gate } from '../account/gate/gate.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** How many issuances the account may have in a minute, and how many at once after a quiet time. */
const RATE = { perMinute: 60, burst: 20 };
const keys = Array.from({ length: 10_000 }, (_, i) => `ns/web-${i}`);

/**
 * Certificates of ninety hours that all end in the same second, due after sixty, with the real decisions, queue,
 * controller and gate. The CA takes two seconds for each.
 */
function start(some: readonly string[], jitter: { jitterPercent?: number } = {}): RenewalRun {
  const run = new RenewalRun({
    lifetime: 90 * HOUR,
    spec: { renewal: { policy: 'RenewBefore', ...jitter } },
  });
  const gate = new Gate({ limit: 16, clock: run.clock, rate: RATE });
  run.latency = 2000;
  run.turn = async (key, urgency) => {
    const permit = gate.enter({ key, urgency, wake: () => run.queue.add(key) });
    return permit && (() => permit.release());
  };
  run.begin(some, 32);
  onTestFinished(() => run.end());
  return run;
}

/** The most that were bought within any minute. */
function peak({ purchases }: RenewalRun): number {
  let most = 0;
  let first = 0;
  for (const [last, { at }] of purchases.entries()) {
    while (at - (purchases[first]?.at ?? at) >= MINUTE) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

test('ten thousand certificates with one expiry are renewed evenly over the jitter span, within the rate of their account', async () => {
  const run = start(keys);
  await run.clock.advance(HOUR);
  const begin = Date.parse(run.status('ns/web-0').notBefore ?? '');
  const bins = Array<number>(20).fill(0);
  for (const key of keys) {
    const planned = Date.parse(run.status(key).renewalTime ?? '') - begin;
    const bin = Math.floor(((planned - 57 * HOUR - 1) / (3 * HOUR)) * bins.length);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  await run.clock.advance(69 * HOUR);

  // Five hundred each are expected; five standard deviations are 109.
  for (const count of bins) expect(Math.abs(count - 500)).toBeLessThan(109);
  expect(run.purchases.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
  const times = run.purchases.map(({ at }) => at / HOUR);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(57);
  // The gate puts off what is too much for a minute, and no more than that.
  expect(Math.max(...times)).toBeLessThan(60.5);
  expect(peak(run)).toBeLessThanOrEqual(RATE.perMinute + RATE.burst);
}, 60_000);

test('without jitter all are due at once, and are renewed as fast as the account allows', async () => {
  const some = keys.slice(0, 2000);
  const run = start(some, { jitterPercent: 0 });
  await run.clock.advance(62 * HOUR);

  expect(run.purchases.map(({ key }) => key).toSorted()).toEqual(some.toSorted());
  const times = run.purchases.map(({ at }) => at / HOUR);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(60);
  expect(Math.max(...times)).toBeLessThan(60 + some.length / RATE.perMinute / 60 + 0.1);
  expect(peak(run)).toBeLessThanOrEqual(RATE.perMinute + RATE.burst);
});
