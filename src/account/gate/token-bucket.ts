export interface Rate {
  /** Admissions per minute in the long run. */
  perMinute: number;
  /** Admissions at once after a quiet period. */
  burst: number;
}

/** Spreads admissions over time: at most `burst` at once, then `perMinute`. A value: the tokens at a monotonic time. */
export interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** Whole tokens available at a monotonic time. */
export function available(bucket: Bucket, rate: Rate, now: number): number {
  // Rounding must not withhold a token that is due.
  return Math.floor(tokensAt(bucket, rate, now) + 1e-9);
}

/** The monotonic time at which one more token is available than at `now`. */
export function nextTokenAt(bucket: Bucket, rate: Rate, now: number): number {
  const missing = available(bucket, rate, now) + 1 - tokensAt(bucket, rate, now);
  return now + Math.ceil((missing * 60_000) / rate.perMinute);
}

/** Takes a token; one must be available. */
export function taken(bucket: Bucket, rate: Rate, now: number): Bucket {
  return { tokens: tokensAt(bucket, rate, now) - 1, at: now };
}

function tokensAt({ tokens, at }: Bucket, { perMinute, burst }: Rate, now: number): number {
  return Math.min(burst, tokens + ((now - at) * perMinute) / 60_000);
}
