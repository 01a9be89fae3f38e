import { Schedule, ScheduleError, type ScheduleFailure } from '../lib/schedule.ts';
import type { CertificateSpec } from './tinycert/certificate-spec.ts';
import type { Violation } from './schema/rules.ts';

const problems: Readonly<Record<ScheduleFailure, { field: string; advice: string }>> = {
  UnknownTimeZone: {
    field: 'timezone',
    advice:
      'is not a time zone known here: write a name of the IANA database such as Europe/Amsterdam, or UTC',
  },
  InvalidSchedule: {
    field: 'cron',
    advice:
      'is not a schedule: the second number of a range is the greater one, and a step fits into its field',
  },
  NeverInSchedule: { field: 'cron', advice: 'never comes: no month it names has such a day' },
};

/** What no rule of the CRD can tell: a renewal window in a time zone that nobody knows, or that never opens. */
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
