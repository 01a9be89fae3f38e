/** The time of a run, for operators, CA and witnesses: `speed` times as fast as real time from `epoch` on. */
export interface RunClock {
  speed: number;
  /** Milliseconds since the Unix epoch. */
  epoch: number;
}

/** The time of day in a run, in milliseconds. */
export function runNow({ speed, epoch }: RunClock): number {
  return Math.round(epoch + (Date.now() - epoch) * speed);
}

/** The form in which the operators (built with failpoints) and the CA receive it. */
export function clockText({ speed, epoch }: RunClock): string {
  return `${speed}@${epoch}`;
}

/** The operator's assumptions about time, in milliseconds of its clock; see docs/guarantees.md. */
export const TIMING = { sendWindow: 5_000, callDeadline: 20_000, lateExecution: 20_000 } as const;
