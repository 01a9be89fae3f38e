/**
 * The three durations that recovery relies on, in milliseconds, each counted by the process that uses it. They bound when
 * the request of an attempt can still change something at the CA, without trusting anyone's clock.
 */
export interface Timing {
  /** W: how long after an attempt was recorded its request may still be sent. */
  sendWindow: number;
  /** T: how long the client waits for the answer to a call. */
  callDeadline: number;
  /** X: how long the server may still act after the client gave up. */
  lateExecution: number;
}

/** How long after this process first sees another process's attempt that attempt is quiet: W + T + X. */
export function quietAfter(timing: Timing): number {
  return timing.sendWindow + timing.callDeadline + timing.lateExecution;
}
