import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { minutesOf, searched } from '../../../test/support/inputs/cron-search.ts';
import { Schedule } from '../../lib/schedule.ts';
import { type RenewalWindow, windowedTime, type WindowQuestion } from './windows.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse('2026-03-02T00:00:00Z');

function windowOf(cron: string, hours: number, timezone = 'UTC'): RenewalWindow {
  return { schedule: Schedule.of(cron, timezone), durationMs: hours * HOUR };
}

/** The answer for a certificate of 30 days that began at `START`, is due after 20 and has just been issued. */
function ask(
  windows: RenewalWindow[],
  change: Partial<WindowQuestion> = {},
): ReturnType<typeof windowedTime> {
  const question = {
    windows,
    due: START + 20 * DAY,
    earliest: START + 10 * DAY,
    notAfter: START + 30 * DAY,
    now: START,
    share: 0.5,
  };
  return windowedTime({ ...question, ...change });
}

const saturdays = windowOf('0 3 * * 6', 2);
// The first of April is day 30, the 15th of March day 13.
const never = windowOf('0 0 1 1 *', 1);

describe('a renewal comes', () => {
  test.each<[string, RenewalWindow[], Partial<WindowQuestion>, string]>([
    ['in the first window after it is due, at its place', [saturdays], {}, '2026-03-28T03:45:00Z'],
    ['when the window opens, for the first place', [saturdays], { share: 0 }, '2026-03-28T03:00:00Z'],
    [
      'at its due time, if a window is open then',
      [windowOf('0 0 * * *', 3)],
      { due: START + 20 * DAY + HOUR },
      '2026-03-22T01:00:00Z',
    ],
    [
      'in the window that opens first',
      [saturdays, windowOf('0 1 * * 2', 1), never],
      { share: 0 },
      '2026-03-24T01:00:00Z',
    ],
    [
      'in the next window, if one has closed',
      [windowOf('0 1 * * *', 1)],
      { now: START + 20 * DAY + 2 * HOUR, share: 0 },
      '2026-03-23T01:00:00Z',
    ],
    [
      'at the hour of its time zone, after the change to summer time',
      [windowOf('0 3 * * 1', 1, 'Europe/Amsterdam')],
      { due: Date.parse('2026-03-29T12:00:00Z'), share: 0 },
      '2026-03-30T01:00:00Z',
    ],
    [
      'in the last window before it is due, if none opens later',
      [windowOf('0 3 15 * *', 2)],
      {},
      '2026-03-15T03:45:00Z',
    ],
    [
      'in a window that opens well before expiry, not in one that opens just before it',
      [windowOf('30 23 31 3 *', 2), windowOf('0 3 15 * *', 2)],
      {},
      '2026-03-15T03:45:00Z',
    ],
  ])('%s', (_, windows, change, want) => {
    expect(ask(windows, change)).toEqual({ at: Date.parse(want), isOutside: false });
  });

  test.each<[string, RenewalWindow[], Partial<WindowQuestion>]>([
    ['no window opens', [never], {}],
    ['the only window opens before the minimum age', [windowOf('0 3 5 3 *', 2)], {}],
    ['the last window before it has closed', [windowOf('0 3 15 3 *', 2)], { now: START + 14 * DAY }],
    ['all windows have closed', [saturdays], { now: START + 29 * DAY }],
    ['the certificate has expired', [saturdays], { now: START + 31 * DAY }],
  ])('at its due time, marked as outside, if %s', (_, windows, change) => {
    expect(ask(windows, change)).toEqual({ at: START + 20 * DAY, isOutside: true });
  });
});

describe('compared with a search of every minute', () => {
  const days = 8;
  const crons = fc
    .tuple(
      fc.constantFrom('0', '30', '*/20', '15,45'),
      fc.constantFrom('2', '1-3', '*', '*/6', '0', '23'),
      fc.constantFrom('*', '29', '25-31', '1'),
      fc.constantFrom('*', '2,3', '10'),
      fc.constantFrom('*', '0', '1-5', '6'),
    )
    .map((fields) => fields.join(' '));
  const window = fc.record({
    cron: crons,
    minutes: fc.oneof(fc.integer({ min: 1, max: 180 }), fc.integer({ min: 1, max: 4320 })),
  });

  test.each([
    ['when an hour is lost', 'Europe/Amsterdam', '2026-03-27T00:00:00Z'],
    ['when an hour is repeated', 'Europe/Amsterdam', '2026-10-23T00:00:00Z'],
    ['at a leap day', 'UTC', '2028-02-27T00:00:00Z'],
  ])('it comes within a window exactly if there is one, whenever it is computed, %s', (_, timezone, from) => {
    const begin = Date.parse(from);
    // A window of three days may have opened before the days in question.
    const minutes = minutesOf(timezone, begin - 3 * DAY, days + 3);
    const offset = fc.integer({ min: 0, max: 86_400 });
    fc.assert(
      fc.property(
        fc.array(window, { minLength: 1, maxLength: 3 }),
        fc.tuple(offset, offset, offset),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (written, [a, b, c], share) => {
          const earliest = begin + a * 1000;
          const due = earliest + 1000 + b * 2000;
          const notAfter = due + 1000 + c * 3000;
          const limit = notAfter - Math.min(HOUR, (notAfter - due) / 10);
          const spans = written.flatMap(({ cron, minutes: long }) =>
            searched(cron, minutes).map((at) => ({ from: at, to: at + long * MINUTE })),
          );
          const isOpen = (time: number): boolean => spans.some((span) => span.from <= time && time < span.to);
          const windows = written.map(({ cron, minutes: long }) => ({
            schedule: Schedule.of(cron, timezone),
            durationMs: long * MINUTE,
          }));

          // Like an operator that reconciles at the planned time, and now and then in between.
          let now = earliest;
          for (let checks = 0; ; checks += 1) {
            expect(checks).toBeLessThan(2000);
            const answer = windowedTime({ windows, due, earliest, notAfter, now, share });
            expect(answer.at).toBeGreaterThanOrEqual(Math.floor(earliest / 1000) * 1000);
            const isAhead = spans.some(
              (span) => span.to > now && span.from < limit && span.to > Math.max(due, now),
            );
            const wasAhead =
              now < due &&
              spans.some((span) => span.from < due && Math.min(span.to, due) > Math.max(now, earliest));
            expect(answer.isOutside).toBe(!isAhead && !wasAhead);
            // The answer is a time within a window, or the due time if there is none.
            expect(answer.isOutside ? answer.at === due : isOpen(Math.max(answer.at, now))).toBe(true);
            if (answer.at <= now) break;
            now = answer.at > now + 7 * HOUR ? now + 5 * HOUR : answer.at;
          }
          expect(now).toBeLessThan(notAfter);
        },
      ),
      { numRuns: 20 },
    );
  });
});
