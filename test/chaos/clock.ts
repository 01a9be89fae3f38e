/** The time of a run: `speed` times as fast as the real one from `epoch` on, for operators, CA and witnesses alike. */
export interface RunClock {
  speed: number;
  /** Milliseconds since the Unix epoch. */
  epoch: number;
}

/** The time of day in a run, in milliseconds. */
export function runNow({ speed, epoch }: RunClock): number {
  return Math.round(epoch + (Date.now() - epoch) * speed);
}

/** How the operators' build with failpoints and the CA are told. */
export function clockText({ speed, epoch }: RunClock): string {
  return `${speed}@${epoch}`;
}

/** What the operator takes for granted about time, in milliseconds of its clock: see the rules in docs. */
export const TIMING = { sendWindow: 5_000, callDeadline: 20_000, lateExecution: 20_000 } as const;
