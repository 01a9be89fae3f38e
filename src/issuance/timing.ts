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

/** How long after first seeing a foreign attempt nothing of it can happen any more: W + T + X. */
export function quietAfter(timing: Timing): number {
  return timing.sendWindow + timing.callDeadline + timing.lateExecution;
}
