/** The longest wait believed, in milliseconds: a day. */
const longest = 86_400_000;

/**
 * Milliseconds to wait by a `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date compared with `now`, which is
 * in milliseconds since the epoch. Undefined if there is none or it cannot be read.
 */
export function parseRetryAfter(header: string | string[] | undefined, now: number): number | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.trim();
  if (!value) return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : parseDate(value) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longest);
}

/** Only the date forms of HTTP: `Date.parse` alone also takes a stray number for a year. */
function parseDate(value: string): number {
  return /^[A-Z][a-z]+,? .*\d\d:\d\d:\d\d/.test(value) ? Date.parse(value) : Number.NaN;
}
