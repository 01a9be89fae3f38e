import { Cron } from 'croner';
import { AppError, clip } from './errors.ts';

export type ScheduleFailure = 'InvalidSchedule' | 'NeverInSchedule' | 'UnknownTimeZone';

/** A schedule that cannot be used. `text` is its wrong part. */
export class ScheduleError extends AppError {
  declare readonly code: ScheduleFailure;
  readonly text: string;

  constructor(code: ScheduleFailure, message: string, text: string, cause?: unknown) {
    super(code, message, { cause });
    this.text = clip(text, 64);
  }
}

/** How many schedules are cached, and how many answers for each. */
const MAX_SCHEDULES = 256;
const MAX_GAPS = 64;

/** An answer that was found: after `after`, the next moment is `next`. */
interface Gap {
  after: number;
  next: number;
}

/**
 * The moments of a cron expression (minute, hour, day of month, month, day of week) in a time zone, to the minute. If both
 * day fields are restricted, a day that matches either counts. If a change of the clocks skips a fixed time, it comes right
 * after the change; if the change repeats it, it counts once.
 */
export class Schedule {
  readonly #cron: Cron;
  /** A search in a time zone is slow, and thousands of certificates share a schedule and ask about the same weeks. */
  readonly #gaps: Gap[] = [];

  private constructor(cron: Cron) {
    this.#cron = cron;
  }

  /** The schedule for a cron expression and a time zone, from the cache if possible. Throws `ScheduleError`. */
  static of(cron: string, timezone: string): Schedule {
    const key = `${timezone}\n${cron}`;
    let schedule = schedules.get(key);
    if (!schedule) {
      schedule = new Schedule(read(cron, timezone));
      if (schedules.size >= MAX_SCHEDULES) schedules.clear();
      schedules.set(key, schedule);
    }
    return schedule;
  }

  /** The first moment after `time`; undefined if there is none. Both in milliseconds since the epoch. */
  nextAfter(time: number): number | undefined {
    const known = this.#gaps.find(({ after, next }) => after <= time && time < next);
    if (known) return known.next;
    const next = this.#cron.nextRun(new Date(time))?.getTime();
    if (next !== undefined) this.#note(time, next);
    return next;
  }

  /** The last moment before `time`; undefined if there is none. */
  lastBefore(time: number): number | undefined {
    return this.#cron.previousRuns(1, new Date(time))[0]?.getTime();
  }

  #note(after: number, next: number): void {
    const known = this.#gaps.find((gap) => gap.next === next);
    if (known) known.after = Math.min(known.after, after);
    else if (this.#gaps.push({ after, next }) > MAX_GAPS) this.#gaps.shift();
  }
}

const schedules = new Map<string, Schedule>();

function read(text: string, timezone: string): Cron {
  try {
    // eslint-disable-next-line no-new
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch (cause) {
    throw new ScheduleError('UnknownTimeZone', 'The time zone is not known.', timezone, cause);
  }
  let cron: Cron;
  try {
    cron = new Cron(text, { timezone, mode: '5-part', fixedTimeRule: 'no-wildcard' });
  } catch (cause) {
    throw new ScheduleError('InvalidSchedule', 'The schedule is not a valid cron expression.', text, cause);
  }
  if (!cron.nextRun(new Date(0))) {
    throw new ScheduleError('NeverInSchedule', 'The schedule never matches.', text);
  }
  return cron;
}
