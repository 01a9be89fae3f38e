/** Longest wait that a Retry-After header can ask for, in milliseconds. */
export const LONGEST_RETRY_AFTER_MS = 300_000;

/** Milliseconds that a Retry-After header asks for, as seconds or an HTTP date (RFC 9110, 10.2.3). Undefined if it is neither. */
export function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.trim();
  if (value === undefined || value === '') return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : dateOf(value) - now;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms));
}

/** Milliseconds since the epoch, or NaN. `Date.parse` alone would read "-5" as a year. */
function dateOf(value: string): number {
  return /^[A-Z][a-z]{2,}, /.test(value) ? Date.parse(value) : Number.NaN;
}
