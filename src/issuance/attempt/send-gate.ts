import type { Clock } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';

/** The work was dropped before a byte left: nothing happened at the CA, the attempt may be replaced at once. */
export class SendRefused extends AppError {
  declare readonly code: 'LeaseLost' | 'TooLate';
}

/** A moment on both clocks. */
export interface Instant {
  wall: number;
  monotonic: number;
}

/** The present moment on both clocks. */
export function instant(clock: Clock): Instant {
  return { wall: clock.now(), monotonic: clock.monotonic() };
}

/**
 * The send gate (rule 3): called in the same tick in which the first byte of a request leaves, it throws unless this
 * process still leads and its attempt is younger than `windowMs` on both clocks. A conflict does not stop a leader that
 * froze after it wrote its attempt, and neither does reading again; only this does. The monotonic clock stands still
 * while a machine sleeps and the wall clock can be set back, so that each covers for the other.
 */
export function sendGate(options: {
  clock: Clock;
  /** Before the attempt was written. */
  since: Instant;
  windowMs: number;
  leads: () => boolean;
}): () => void {
  const { clock, since, windowMs, leads } = options;
  return () => {
    if (!leads()) throw new SendRefused('LeaseLost', 'This process no longer leads; nothing was sent.');
    const age = clock.monotonic() - since.monotonic;
    const wallAge = clock.now() - since.wall;
    if (age >= windowMs || wallAge >= windowMs || wallAge < -windowMs) {
      throw new SendRefused('TooLate', 'The attempt was written too long ago; nothing was sent.');
    }
  };
}
