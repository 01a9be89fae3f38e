/** The longest accepted wait, in milliseconds: a day. */
export const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * The wait in milliseconds that a `Retry-After` header asks for (RFC 9110 section 10.2.3), as seconds or as a date. `now`
 * is in milliseconds since the epoch. Undefined if there is no header or it cannot be read.
 */
export function parseRetryAfter(header: string | string[] | undefined, now: number): number | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.trim();
  if (!value) return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : parseDate(value) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), MAX_RETRY_AFTER_MS);
}

/** Accepts the date formats of HTTP only: `Date.parse` alone would read a bare number as a year. */
function parseDate(value: string): number {
  return /^[A-Z][a-z]+,? .*\d\d:\d\d:\d\d/.test(value) ? Date.parse(value) : Number.NaN;
}
