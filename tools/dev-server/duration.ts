import type { Duration, RuntimeOptions } from './types.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration. Throws a RangeError that explains what to write instead. */
export function milliseconds(duration: Duration): number {
  if (typeof duration === 'number') {
    if (Number.isFinite(duration) && duration >= 0) return duration;
    throw new RangeError(`${duration} is not a span of time: write milliseconds of at least 0`);
  }
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration.trim());
  if (!match) {
    throw new RangeError(
      `"${duration}" is not a span of time: write a number and ms, s, m, h or d, as in 30s`,
    );
  }
  return Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0);
}

/** Whole seconds of a certificate's lifetime, the resolution of X.509. */
export function lifetimeSeconds(duration: Duration): number {
  const seconds = Math.floor(milliseconds(duration) / 1000);
  if (seconds < 1) throw new RangeError(`a certificate cannot live ${duration}: write at least 1s`);
  return seconds;
}

/** Bounds of a latency in milliseconds. */
export function latencyBounds(latency: NonNullable<RuntimeOptions['latency']>): { min: number; max: number } {
  const bounds =
    typeof latency === 'object'
      ? { min: milliseconds(latency.min), max: milliseconds(latency.max) }
      : { min: milliseconds(latency), max: milliseconds(latency) };
  if (bounds.min > bounds.max)
    throw new RangeError('a latency from min to max needs min to be the smaller one');
  return bounds;
}
