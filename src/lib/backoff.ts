/** Growth per failure, unless `BackoffOptions.factor` is set. */
export const DEFAULT_FACTOR = 2;
/** Share of the delay that is random, unless `BackoffOptions.jitter` is set. */
export const DEFAULT_JITTER = 0.1;

/** Exponential backoff: `base * factor^(n-1)`, at most `max`, spread by `jitter` (0.1 = plus or minus 10 %). */
export interface BackoffOptions {
  /** First delay in milliseconds. */
  base: number;
  /** Largest delay in milliseconds, before the spread. */
  max: number;
  /** Growth per failure. Default: `DEFAULT_FACTOR`. */
  factor?: number;
  /** Share of the delay that is random, in both directions. Default: `DEFAULT_JITTER`. */
  jitter?: number;
}

/** The delay in milliseconds after the `failures`-th failure in a row (the first is 1). `random` yields [0, 1). */
export function backoffDelay(
  options: BackoffOptions,
  failures: number,
  random: () => number = Math.random,
): number {
  const { base, max, factor = DEFAULT_FACTOR, jitter = DEFAULT_JITTER } = options;
  const plain = Math.min(max, base * factor ** Math.max(0, failures - 1));
  return Math.round(plain * (1 + jitter * (2 * random() - 1)));
}
