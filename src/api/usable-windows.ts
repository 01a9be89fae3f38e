import { Schedule, ScheduleError, type ScheduleFailure } from '../lib/schedule.ts';
import type { CertificateSpec } from './tinycert/certificate-spec.ts';
import type { Violation } from './schema/rules.ts';

const problems: Readonly<Record<ScheduleFailure, { field: string; advice: string }>> = {
  UnknownTimeZone: {
    field: 'timezone',
    advice: 'is not a known time zone: write a name from the IANA database such as Europe/Amsterdam, or UTC',
  },
  InvalidSchedule: {
    field: 'cron',
    advice:
      'is not a schedule: write ranges from the lower to the higher number, and steps that fit into their field',
  },
  NeverInSchedule: {
    field: 'cron',
    advice: 'never matches: write a day that at least one of the given months has',
  },
};

/** The first renewal window with an unknown time zone or a schedule that never matches. No CEL rule can find these. */
export function unusableWindow({ renewal }: Pick<CertificateSpec, 'renewal'>): Violation | undefined {
  for (const [i, { cron, timezone }] of (renewal?.windows ?? []).entries()) {
    try {
      Schedule.of(cron, timezone);
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error;
      const { field, advice } = problems[error.code];
      return { path: `.spec.renewal.windows[${i}].${field}`, message: `"${error.text}" ${advice}` };
    }
  }
  return undefined;
}
