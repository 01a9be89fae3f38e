import type { ClockOffset } from '../../tinycert/index.ts';
import { MAX_CLOCK_SKEW_MS } from '../clock-skew.ts';

/**
 * The three times on which recovery rests. All in milliseconds, all counted by the process that uses them.
 * They bound when a request of an attempt can still change something at the CA, without trusting anybody's clock.
 */
export interface Timing {
  /** W: an attempt may be sent this long after the moment before it was written; later its work is dropped. */
  sendWindow: number;
  /** T: the client gives up a call after this. */
  callDeadline: number;
  /** X: the server may still act this long after the client gave up. */
  lateExecution: number;
}

export const defaultTiming: Timing = { sendWindow: 5_000, callDeadline: 20_000, lateExecution: 20_000 };

/** A request waits for a machine apart, 10 to 40 seconds as a rule; what it does after we gave up, no call can tell. */
export const cacertTiming: Timing = { sendWindow: 5_000, callDeadline: 120_000, lateExecution: 0 };

/** How long after first seeing a foreign attempt nothing of it can happen any more: W + T + X. */
export function quietAfter(timing: Timing): number {
  return timing.sendWindow + timing.callDeadline + timing.lateExecution;
}

/** Certificates begin at a whole second, and a service's machines need not agree to the second. */
const SLACK_MS = 3_000;

/**
 * Between which moments on the CA's clock certificates begin that an attempt made at `wall` can have bought: TinyCert
 * dates a certificate with the moment of issue. Both bounds are stretched by what is not known of that clock.
 */
export function datesOf(
  wall: number,
  timing: Timing,
  { ms, uncertaintyMs }: ClockOffset = { ms: 0, uncertaintyMs: MAX_CLOCK_SKEW_MS },
): { since: number; until: number } {
  const unsure = uncertaintyMs + SLACK_MS;
  return { since: wall + ms - unsure, until: wall + ms + unsure + quietAfter(timing) };
}
