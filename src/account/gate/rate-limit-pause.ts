import type { Instant } from '../../lib/clock.ts';

/** First pause if the CA names none, in milliseconds; it doubles while rate limits go on. */
export const FIRST_PAUSE_MS = 30_000;
/** Longest pause if the CA names none, in milliseconds. */
export const MAX_PAUSE_MS = 600_000;
/** Shortest pause, in milliseconds: a `Retry-After` of zero must not become a tight loop. */
export const MIN_PAUSE_MS = 1_000;

/** How long to send no requests to a CA after it refused one because of its rate limit. A value. */
export interface Pause {
  /** The end of the last pause; undefined once something has succeeded after it. */
  readonly until: Instant | undefined;
  /** How often in a row a pause began. */
  readonly level: number;
}

export const NEVER_LIMITED: Pause = { until: undefined, level: 0 };

/** What is left of the present pause, in milliseconds. */
export function pauseLeft({ until }: Pause, at: Instant): number {
  return until ? Math.max(0, until.monotonic - at.monotonic) : 0;
}

/**
 * Starts or extends the pause. `retryAfterMs` is what the CA asked for; without it, the duration is guessed, once for all
 * requests that were under way together. A shorter pause never ends a longer one: the same value comes back then.
 */
export function limited(pause: Pause, retryAfterMs: number | undefined, at: Instant): Pause {
  const left = pauseLeft(pause, at);
  const isNew = left === 0;
  if (retryAfterMs === undefined && !isNew) return pause;
  const level = pause.level + (isNew ? 1 : 0);
  const guess = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (level - 1));
  const ms = Math.max(MIN_PAUSE_MS, retryAfterMs ?? guess);
  if (ms <= left) return pause;
  return { until: { monotonic: at.monotonic + ms, wall: at.wall + ms }, level };
}

/** Makes the next guess shorter, after an issuance, and forgets the last pause if it is over. */
export function eased(pause: Pause, at: Instant): Pause {
  return over({ ...pause, level: Math.max(0, pause.level - 1) }, at);
}

/** Forgets the last pause if it is over. */
export function over(pause: Pause, at: Instant): Pause {
  return pause.until === undefined || pauseLeft(pause, at) > 0 ? pause : { ...pause, until: undefined };
}
