import type { Clock, Instant } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';

/** The request was dropped before its first byte left. Nothing happened at the CA, so the attempt may be replaced at once. */
export class SendRefused extends AppError {
  declare readonly code: 'LeaseLost' | 'TooLate' | 'GivenUp';
}

/**
 * Returns the send gate (`sendGate`): called in the tick in which the first byte of a request leaves, it throws a
 * `SendRefused` unless this process still leads, nobody has given the attempt up because its resource went, and it is younger than
 * `windowMs` on both clocks. Only the age stops a leader that froze after it recorded its attempt; neither conflicts nor another read
 * do. The monotonic clock stops while a machine sleeps and the wall clock can be set back, so each covers for the other.
 */
export function sendGate(options: {
  clock: Clock;
  /** A moment before the attempt was recorded. */
  since: Instant;
  windowMs: number;
  leads: () => boolean;
  /** Whether the attempt still stands, as far as this process knows. */
  isKept?: () => boolean;
}): () => void {
  const { clock, since, windowMs, leads, isKept } = options;
  return () => {
    if (!leads()) throw new SendRefused('LeaseLost', 'This process no longer leads; nothing was sent.');
    if (isKept && !isKept())
      throw new SendRefused('GivenUp', 'The resource of the attempt is gone; nothing was sent.');
    const age = clock.monotonic() - since.monotonic;
    const wallAge = clock.now() - since.wall;
    if (age >= windowMs || wallAge >= windowMs || wallAge < -windowMs) {
      throw new SendRefused('TooLate', 'The attempt was written too long ago; nothing was sent.');
    }
  };
}
