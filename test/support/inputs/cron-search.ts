const MINUTE = 60_000;
const DAY = 86_400_000;

/** A minute in a time zone: the fields of a cron expression, and the minutes since midnight. */
export interface LocalMinute {
  at: number;
  /** The local time as if it were UTC, so gaps and repetitions are visible. */
  local: number;
}

/** Every minute of some days in a time zone, from `Intl` alone. */
export function minutesOf(timezone: string, from: number, days: number): LocalMinute[] {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return Array.from({ length: (days * DAY) / MINUTE }, (_, i) => {
    const at = from + i * MINUTE;
    const of = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = of;
    return { at, local: Date.UTC(year, month - 1, day, hour, minute) };
  });
}

/** The numbers that a field of a cron expression matches. */
function numbersOf(field: string, from: number, to: number): Set<number> {
  const numbers = new Set<number>();
  for (const item of field.split(',')) {
    const [range = '', step = '1'] = item.split('/');
    const [first, last] = range === '*' ? [from, to] : range.split('-').map(Number);
    for (let n = first ?? 0; n <= (last ?? first ?? 0); n += Number(step)) numbers.add(n);
  }
  return numbers;
}

/** The times of a cron expression, found by checking every minute. */
export function searched(cron: string, minutes: readonly LocalMinute[]): number[] {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = cron.split(' ');
  const wanted = {
    minutes: numbersOf(minute, 0, 59),
    hours: numbersOf(hour, 0, 23),
    days: numbersOf(day, 1, 31),
    months: numbersOf(month, 1, 12),
    weekdays: new Set([...numbersOf(weekday, 0, 7)].map((n) => n % 7)),
  };
  const isWanted = (local: number): boolean => {
    const date = new Date(local);
    const [byDay, byWeekday] = [wanted.days.has(date.getUTCDate()), wanted.weekdays.has(date.getUTCDay())];
    return (
      wanted.minutes.has(date.getUTCMinutes()) &&
      wanted.hours.has(date.getUTCHours()) &&
      wanted.months.has(date.getUTCMonth() + 1) &&
      (day !== '*' && weekday !== '*' ? byDay || byWeekday : byDay && byWeekday)
    );
  };
  const isFixed = !/[*/]/.test(minute + hour);
  const found = new Set<number>();
  let latest = -Infinity;
  for (const { at, local } of minutes) {
    const isGap = latest !== -Infinity && local > latest + MINUTE;
    if (isFixed && isGap) {
      for (let left = latest + MINUTE; left < local; left += MINUTE) if (isWanted(left)) found.add(at);
    }
    if (isWanted(local) && !(isFixed && local <= latest)) found.add(at);
    latest = Math.max(latest, local);
  }
  return [...found];
}
