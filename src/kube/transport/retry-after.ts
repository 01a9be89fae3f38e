/** No server is waited for longer than this; a caller with a shorter deadline gives up sooner. */
const LONGEST_MS = 300_000;

/** Milliseconds that a Retry-After header asks for: seconds or an HTTP date (RFC 9110, 10.2.3). Undefined where it is neither. */
export function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.trim();
  if (value === undefined || value === '') return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : dateOf(value) - now;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(LONGEST_MS, Math.max(0, ms));
}

/** Date.parse alone takes "-5" for a year. */
function dateOf(value: string): number {
  return /^[A-Z][a-z]{2,}, /.test(value) ? Date.parse(value) : Number.NaN;
}
