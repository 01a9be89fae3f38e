import type { ClockOffset } from '../../tinycert/index.ts';
import { type Timing, quietAfter } from '../attempt/timing.ts';
import { MAX_CLOCK_SKEW_MS } from '../clock-skew.ts';

/** Certificates begin at a whole second, and the machines of a service need not agree to the second. */
const SLACK_MS = 3_000;

/**
 * The earliest and the latest date, on the CA's clock, of a certificate bought by an attempt that starts at `wall`. TinyCert
 * dates a certificate with the moment of issue. What is unknown of the CA's clock widens both bounds.
 */
export function datesOf(
  wall: number,
  timing: Timing,
  { ms, uncertaintyMs }: ClockOffset = { ms: 0, uncertaintyMs: MAX_CLOCK_SKEW_MS },
): { since: number; until: number } {
  const unsure = uncertaintyMs + SLACK_MS;
  return { since: wall + ms - unsure, until: wall + ms + unsure + quietAfter(timing) };
}
