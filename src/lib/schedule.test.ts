import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LocalMinute, minutesOf, searched } from '../../test/support/inputs/cron-search.ts';
import { Schedule, ScheduleError } from './schedule.ts';

/** All moments of a schedule on the same days. */
function scheduled(cron: string, timezone: string, minutes: readonly LocalMinute[]): number[] {
  const from = minutes[0]?.at ?? 0;
  const to = minutes.at(-1)?.at ?? 0;
  const schedule = Schedule.of(cron, timezone);
  const times: number[] = [];
  for (
    let time = schedule.nextAfter(from - 1);
    time !== undefined && time <= to;
    time = schedule.nextAfter(time)
  )
    times.push(time);
  return times;
}

const number = (from: number, to: number) => fc.integer({ min: from, max: to }).map(String);
function field(from: number, to: number, ...likely: string[]): fc.Arbitrary<string> {
  const range = fc
    .tuple(fc.integer({ min: from, max: to }), fc.integer({ min: from, max: to }))
    .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const step = fc.tuple(fc.oneof(fc.constant('*'), range), fc.integer({ min: 1, max: 6 }));
  const item = fc.oneof(
    number(from, to),
    range,
    step.map(([one, by]) => `${one}/${by}`),
  );
  return fc.oneof(
    fc.constantFrom('*', ...likely),
    fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(',')),
  );
}
// A schedule for every minute proves no more than one for every quarter of an hour, and takes fifteen times as long.
const minute = fc.oneof(
  fc.constantFrom('0', '30', '*/15', '*/45', '10-50/20', '5,35'),
  number(0, 59),
  fc.tuple(number(0, 59), number(0, 59)).map((pair) => pair.join(',')),
);
const crons = fc
  .tuple(minute, field(0, 23, '0', '1', '2', '3'), field(1, 31), field(1, 12), field(0, 7))
  .map((fields) => fields.join(' '));

describe('a schedule comes at the moments that a search of every minute finds', () => {
  test.each([
    ['in UTC at the end of February in a leap year', 'UTC', '2028-02-27T00:00:00Z'],
    ['in UTC at the turn of the year', 'UTC', '2026-12-30T00:00:00Z'],
    ['when Amsterdam loses an hour', 'Europe/Amsterdam', '2026-03-28T00:00:00Z'],
    ['when Amsterdam repeats an hour', 'Europe/Amsterdam', '2026-10-24T00:00:00Z'],
    ['when New York loses an hour', 'America/New_York', '2027-03-13T00:00:00Z'],
    ['when New York repeats an hour', 'America/New_York', '2027-11-06T00:00:00Z'],
    ['when Santiago loses midnight', 'America/Santiago', '2026-09-05T00:00:00Z'],
    ['half an hour off in Kolkata', 'Asia/Kolkata', '2026-06-01T00:00:00Z'],
  ])('%s', (_, timezone, from) => {
    const minutes = minutesOf(timezone, Date.parse(from), 3);
    fc.assert(
      fc.property(crons, (cron) => {
        fc.pre(isUsable(cron, timezone));
        expect(scheduled(cron, timezone, minutes)).toEqual(searched(cron, minutes));
      }),
      { numRuns: 40 },
    );
  });
});

test('the last moment before a time is the one whose next moment is not before it, whatever was queried before', () => {
  const time = fc.integer({ min: Date.parse('2026-01-01') / 1000, max: Date.parse('2028-12-31') / 1000 });
  fc.assert(
    fc.property(crons, fc.array(time, { minLength: 1, maxLength: 8 }), (cron, seconds) => {
      fc.pre(isUsable(cron, 'Europe/Amsterdam'));
      const schedule = Schedule.of(cron, 'Europe/Amsterdam');
      for (const second of seconds) {
        const last = schedule.lastBefore(second * 1000) ?? 0;
        expect(last).toBeLessThan(second * 1000);
        const next = schedule.nextAfter(last) ?? Infinity;
        expect(next).toBeGreaterThanOrEqual(second * 1000);
        expect(schedule.nextAfter(second * 1000 - 1)).toBe(next);
      }
    }),
  );
});

test.each([
  ['0 3 * * *', 'Mars/Olympus', 'UnknownTimeZone', 'Mars/Olympus'],
  ['0 5-1 * * *', 'UTC', 'InvalidSchedule', '0 5-1 * * *'],
  ['*/99 * * * *', 'UTC', 'InvalidSchedule', '*/99 * * * *'],
  ['not cron', 'UTC', 'InvalidSchedule', 'not cron'],
  ['0 0 31 2 *', 'UTC', 'NeverInSchedule', '0 0 31 2 *'],
])('%s in %s is refused with %s', (cron, timezone, code, text) => {
  const refused = (): Schedule => Schedule.of(cron, timezone);
  expect(refused).toThrow(ScheduleError);
  expect(refused).toThrow(expect.objectContaining({ code, text }));
});

function isUsable(cron: string, timezone: string): boolean {
  try {
    Schedule.of(cron, timezone);
    return true;
  } catch {
    return false;
  }
}
