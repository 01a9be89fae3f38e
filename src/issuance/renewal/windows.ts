import type { Schedule } from '../../lib/schedule.ts';

/** A span of time that opens again and again. */
export interface RenewalWindow {
  schedule: Pick<Schedule, 'nextAfter' | 'lastBefore'>;
  /** How long it stays open, in milliseconds. */
  durationMs: number;
}

export interface WindowQuestion {
  windows: readonly RenewalWindow[];
  /** When the certificate would be renewed without windows. */
  due: number;
  /** No renewal is planned before this moment. */
  earliest: number;
  notAfter: number;
  now: number;
  /** Where in a window this certificate has its place, from 0 to below 1, so that not all come when it opens. */
  share: number;
}

export interface WindowAnswer {
  /** When to renew, milliseconds since the epoch; a whole second. */
  at: number;
  /** No window is left in time. */
  isOutside: boolean;
}

/** Renewals are spread over this part of a window, so that what waits its turn or fails once still ends inside it. */
const SPREAD = 0.75;

/** A window that counts is open this long before the certificate ends, or a tenth of what is left, if that is less. */
const MARGIN_MS = 3_600_000;

/**
 * When a certificate is renewed that may be renewed only in windows:
 *
 * 1. at its due time, if a window is open then; else in the first window that is open after it (and not over by now),
 *    as long as that opens some time before the certificate ends;
 * 2. if there is none, in the last window before the due time, as long as that is not over;
 * 3. if there is none either, at the due time. A certificate that ends is worse than a renewal at an unwelcome hour.
 */
export function windowedTime(question: WindowQuestion): WindowAnswer {
  const { due, now, share } = question;
  const opening = firstAfter(question) ?? (now < due ? lastBefore(question) : undefined);
  if (!opening) return { at: due, isOutside: true };
  const { from, to } = opening;
  const place = from === due ? 0 : share * SPREAD * (to - from);
  return { at: Math.floor((from + place) / 1000) * 1000, isOutside: false };
}

/** A window, or what of it a renewal can be planned in. */
interface Opening {
  from: number;
  to: number;
}

function firstAfter({ windows, due, notAfter, now }: WindowQuestion): Opening | undefined {
  const limit = notAfter - Math.min(MARGIN_MS, (notAfter - due) / 10);
  const present = Math.max(due, now);
  return best(
    windows,
    ({ schedule, durationMs }) => {
      // Windows may be longer than the time between two openings: this is the first that is not closed.
      const opens = schedule.nextAfter(present - durationMs);
      return opens === undefined || opens >= limit
        ? undefined
        : { from: Math.max(opens, due), to: Math.min(opens + durationMs, limit) };
    },
    (a, b) => a.from < b.from,
  );
}

function lastBefore({ windows, due, earliest, now }: WindowQuestion): Opening | undefined {
  return best(
    windows,
    ({ schedule, durationMs }) => {
      const opens = schedule.lastBefore(due);
      if (opens === undefined) return undefined;
      const from = Math.max(opens, earliest);
      const to = Math.min(opens + durationMs, due);
      return from < to && now < to ? { from, to } : undefined;
    },
    (a, b) => a.from > b.from,
  );
}

function best(
  windows: readonly RenewalWindow[],
  openingOf: (window: RenewalWindow) => Opening | undefined,
  isBetter: (a: Opening, b: Opening) => boolean,
): Opening | undefined {
  let found: Opening | undefined;
  for (const window of windows) {
    const opening = openingOf(window);
    if (opening && (!found || isBetter(opening, found))) found = opening;
  }
  return found;
}
