import { type Clock, sleepOn, systemClock } from './clock.ts';

/** Whether failpoints are built in; only then can the clock of a process be accelerated. */
declare const FAILPOINTS: boolean | undefined;

/**
 * A clock that runs `speed` times as fast as `clock` and agrees with it at `epoch`, in milliseconds. Processes with the
 * same two numbers have the same time of day.
 */
export function accelerated(clock: Clock, { speed, epoch }: { speed: number; epoch: number }): Clock {
  const fast: Clock = {
    now: () => Math.round(epoch + (clock.now() - epoch) * speed),
    monotonic: () => clock.monotonic() * speed,
    timer: (ms, fn) => clock.timer(ms / speed, fn),
    sleep: (ms, signal) => sleepOn(fast, ms, signal),
  };
  return fast;
}

/** Parses the value of `TINYCERT_CLOCK`, two numbers as `SPEED@EPOCH`. Undefined for any other text. */
export function acceleration(text: string | undefined): { speed: number; epoch: number } | undefined {
  const [, speed, epoch] = /^([0-9]+)@([0-9]+)$/.exec(text ?? '') ?? [];
  return speed === undefined || Number(speed) < 1
    ? undefined
    : { speed: Number(speed), epoch: Number(epoch) };
}

/** The clock of this process: the system's, or a faster one in a build with failpoints if `TINYCERT_CLOCK` is set. */
export function processClock(): Clock {
  if (typeof FAILPOINTS !== 'boolean' || !FAILPOINTS) return systemClock;
  const wanted = acceleration(process.env['TINYCERT_CLOCK']);
  return wanted ? accelerated(systemClock, wanted) : systemClock;
}
