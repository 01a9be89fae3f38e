import { describe, expect, onTestFinished, test } from 'vitest';
import { RenewalRun } from '../../test/support/inputs/renewal-run.ts';
import type { CertificateSpec } from '../api/tinycert/certificate-spec.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;

/** A certificate of ninety hours, due after sixty, and the queue and controller that look after it. */
function start(spec: Partial<CertificateSpec> = {}, hours = 90): RenewalRun {
  const run = new RenewalRun({ lifetime: hours * HOUR, spec });
  run.begin(['ns/web']);
  onTestFinished(() => run.end());
  return run;
}

/** Lets time pass until so many hours of the CA's clock are over. */
async function until(run: RenewalRun, hours: number): Promise<void> {
  await run.clock.advance(hours * HOUR - run.elapsed);
}

const LAST = 200;

describe('a certificate is renewed when it is due and at no other time', () => {
  test.each<[string, (run: RenewalRun) => Promise<void>, number[], Partial<CertificateSpec>?]>([
    ['while nothing happens', async () => undefined, [60, 120, 180]],
    [
      'with a renewBefore longer than its lifetime',
      async () => undefined,
      [60, 120, 180],
      { renewBefore: '8640h' },
    ],
    [
      'when the machine sleeps past the renewal, as soon as it wakes',
      async (run) => {
        await until(run, 50);
        run.sleep(20 * HOUR);
      },
      [70, 130, 190],
    ],
    [
      'when the machine sleeps past the end, as soon as it wakes',
      async (run) => {
        await until(run, 10);
        run.sleep(95 * HOUR);
      },
      [105, 165],
    ],
    [
      'when the machine sleeps again and again',
      async (run) => {
        for (let hour = 1; hour < 59; hour += 2) {
          await until(run, hour);
          run.sleep(HOUR);
        }
      },
      [60, 120, 180],
    ],
    [
      'when the wall clock is set back by a year for a day',
      async (run) => {
        await until(run, 20);
        run.clock.jump(-YEAR);
        await until(run, 44);
        run.clock.jump(YEAR);
      },
      [60, 120, 180],
    ],
    [
      'when the wall clock is set back by a year and is put right after the end, at once then',
      async (run) => {
        await until(run, 20);
        run.clock.jump(-YEAR);
        await until(run, 100);
        run.clock.jump(YEAR);
      },
      [100, 160],
    ],
    [
      'when the wall clock is set ahead and back between two looks',
      async (run) => {
        await until(run, 20);
        run.clock.jump(YEAR);
        await run.clock.advance(1000);
        run.clock.jump(-YEAR);
      },
      [60, 120, 180],
    ],
    [
      'when the wall clock is a year ahead for a day: one is bought, kept, and served once the clock is right',
      async (run) => {
        await until(run, 20);
        run.clock.jump(YEAR);
        await until(run, 44);
        run.clock.jump(-YEAR);
      },
      [20, 80, 140, 200],
    ],
    [
      'when the wall clock is ahead by most of a lifetime for good: never before half of the time to its renewal',
      async (run) => {
        await until(run, 20);
        run.clock.jump(70 * HOUR);
      },
      [20, 50, 80, 110, 140, 170, 200],
    ],
    [
      'when the CA refused while the wall clock was ahead, and the clock was put right: no year is waited for',
      async (run) => {
        await until(run, 59.99);
        run.clock.jump(YEAR);
        run.trouble = 'refuses';
        await run.clock.advance(90_000);
        run.trouble = 'none';
        run.clock.jump(-YEAR);
      },
      [60, 60, 120, 180],
    ],
  ])('%s', async (_, script, hours, spec) => {
    const run = start(spec);
    await script(run);
    await until(run, LAST + 0.1);

    const times = run.purchases.map(({ at }) => at / HOUR);
    expect(times.map(Math.floor)).toEqual(hours);
    // The clock is looked at once a minute.
    for (const [i, time] of times.entries()) expect(time - (hours[i] ?? 0)).toBeLessThanOrEqual(2 / 60);
    expect(run.looks.get('ns/web')).toBeLessThan(30 + 30 * 60);
  });
});

test('a renewal further away than a timer can count comes at its time', async () => {
  const hours = 24 * 40;
  const run = start({}, hours);
  await until(run, hours * (2 / 3) - 1);
  expect(run.purchases).toEqual([]);
  await until(run, hours * (2 / 3) + 1);
  expect(run.purchases).toHaveLength(1);
});

test('a certificate that is not renewed is looked at when it ends, and then no more', async () => {
  const run = start({ renewal: { policy: 'Disabled' } });
  await until(run, 89);
  const before = run.looks.get('ns/web') ?? 0;
  await until(run, LAST);

  expect(run.purchases).toEqual([]);
  expect((run.looks.get('ns/web') ?? 0) - before).toBe(1);
  expect(run.status('ns/web').conditions).toMatchObject([
    { type: 'Ready', status: 'False', reason: 'Expired' },
  ]);
});
