import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { ClockComparison } from './clock-offset.ts';

const HOUR = 3_600_000;

/** A comparison after a call that took `took`, with a server whose clock is ahead by `ahead`. Both in milliseconds. */
async function compared(
  ahead: number,
  took = 0,
): Promise<{ clock: VirtualClock; comparison: ClockComparison; hear: () => Promise<void> }> {
  const clock = new VirtualClock();
  const comparison = new ClockComparison(clock);
  const hear = async (): Promise<void> => {
    const sent = comparison.moment();
    await clock.advance(took);
    comparison.note(new Date(clock.now() + ahead).toUTCString(), sent);
  };
  await hear();
  return { clock, comparison, hear };
}

describe('the offset of a server’s clock', () => {
  test.each([0, 90_000, -90_000, 300 * HOUR])('is measured to within a second for %d ms', async (ahead) => {
    const { comparison } = await compared(ahead);

    const { ms = Number.NaN, uncertaintyMs } = comparison.get() ?? {};
    expect(Math.abs(ms - ahead)).toBeLessThanOrEqual(500);
    expect(uncertaintyMs).toBe(500);
  });

  test('is uncertain by half the duration of the call, and by more as time passes', async () => {
    const { clock, comparison } = await compared(0, 4_000);
    expect(comparison.get()?.uncertaintyMs).toBe(2_500);

    await clock.advance(HOUR);

    expect(comparison.get()?.uncertaintyMs).toBe(2_500 + 3_600);
  });

  test('is measured again by an answer that allows a better measurement', async () => {
    const { clock, comparison, hear } = await compared(0);
    await clock.advance(5 * HOUR);
    await hear();

    expect(comparison.get()?.uncertaintyMs).toBe(500);
  });

  test('stays unchanged after an answer that allows only a worse measurement', async () => {
    const { clock, comparison } = await compared(0);
    const sent = comparison.moment();
    await clock.advance(10_000);
    comparison.note(new Date(clock.now() + 3_000).toUTCString(), sent);

    expect(comparison.get()?.ms).toBe(500);
  });

  test('is unknown after our own clock was set', async () => {
    const { clock, comparison, hear } = await compared(0);
    clock.jump(-60_000);
    expect(comparison.get()).toBeUndefined();

    await hear();

    expect(comparison.get()?.ms).toBe(500);
  });

  test('is not measured by a call during which our own clock was set', async () => {
    const clock = new VirtualClock();
    const comparison = new ClockComparison(clock);
    const sent = comparison.moment();
    clock.jump(5_000);
    comparison.note(new Date(clock.now()).toUTCString(), sent);

    expect(comparison.get()).toBeUndefined();
  });

  test.each([undefined, '', 'yesterday', '2026-01-01T00:00:00Z', 'Thu, 99 Jan 2026 00:00:00 GMT'])(
    'is not measured by the header %j',
    (date) => {
      const comparison = new ClockComparison(new VirtualClock());
      comparison.note(date, comparison.moment());

      expect(comparison.get()).toBeUndefined();
    },
  );
});
