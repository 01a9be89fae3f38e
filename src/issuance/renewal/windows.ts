import type { Schedule } from '../../lib/schedule.ts';

/** A recurring span of time. */
export interface RenewalWindow {
  schedule: Pick<Schedule, 'nextAfter' | 'lastBefore'>;
  /** How long it stays open, in milliseconds. */
  durationMs: number;
}

export interface WindowQuestion {
  windows: readonly RenewalWindow[];
  /** When the certificate would be renewed without windows. */
  due: number;
  /** The earliest moment for a renewal. */
  earliest: number;
  notAfter: number;
  now: number;
  /** This certificate's place within a window, from 0 to below 1, so that not all are renewed when it opens. */
  share: number;
}

export interface WindowAnswer {
  /** When to renew, in milliseconds since the epoch, a whole second. */
  at: number;
  /** Whether no window opens in time. */
  isOutside: boolean;
}

/** The part of a window that renewals are spread over, so that one that queues or fails once still ends within it. */
const SPREAD = 0.75;

/** A window has to open this long before expiry, or a tenth of the time from due to expiry, if that is less. */
const MARGIN_MS = 3_600_000;

/**
 * When to renew a certificate whose renewal is restricted to windows:
 *
 * 1. at the due time if a window is open then, or else in the first later window that has not closed yet, provided it opens
 *    with some margin before expiry;
 * 2. otherwise in the last window before the due time, unless it has closed;
 * 3. otherwise at the due time: an expired certificate is worse than a renewal at an unwelcome hour.
 */
export function windowedTime(question: WindowQuestion): WindowAnswer {
  const { due, now, share } = question;
  const opening = firstAfter(question) ?? (now < due ? lastBefore(question) : undefined);
  if (!opening) return { at: due, isOutside: true };
  const { from, to } = opening;
  const place = from === due ? 0 : share * SPREAD * (to - from);
  return { at: Math.floor((from + place) / 1000) * 1000, isOutside: false };
}

/** The usable part of a window. */
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
      // Windows may overlap their next opening: this is the first that has not closed.
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
