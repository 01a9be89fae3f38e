import { type Clock, sleepOn } from '../../../src/lib/clock.ts';
import type { VirtualClock } from '../virtual-clock.ts';

/** The clock of one process on a machine of its own, which can be stopped. `world` is the true time. */
export class ProcessClock implements Clock {
  readonly #world: VirtualClock;
  #wallOffset = 0;
  /** True time that the machine has slept. */
  #slept = 0;
  #stopped: { at: number; asleep: boolean } | undefined;
  #dead = false;
  #waiting: (() => void)[] = [];

  constructor(world: VirtualClock) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now() + this.#wallOffset;
  }

  monotonic(): number {
    const sleeping = this.#stopped?.asleep ? this.#world.monotonic() - this.#stopped.at : 0;
    return this.#world.monotonic() - this.#slept - sleeping;
  }

  timer(ms: number, fn: () => void): () => void {
    const due = this.monotonic() + Math.max(0, ms);
    let cancelled = false;
    let cancel: () => void = () => undefined;
    const fire = (): void => {
      const left = due - this.monotonic();
      if (cancelled) return;
      if (left > 0) cancel = this.#world.timer(left, () => this.run(fire));
      else fn();
    };
    cancel = this.#world.timer(ms, () => this.run(fire));
    return () => {
      cancelled = true;
      cancel();
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** Runs something in the process: now, or once it continues. */
  run(fn: () => void): void {
    if (this.#dead) return;
    if (this.#stopped) this.#waiting.push(fn);
    else fn();
  }

  /** Stops the process, as SIGSTOP does; `asleep`: stops the machine, and its monotonic clock with it. */
  stop(asleep: boolean): void {
    this.#stopped ??= { at: this.#world.monotonic(), asleep };
  }

  /** Resumes it. */
  resume(): void {
    if (this.#stopped?.asleep) this.#slept += this.#world.monotonic() - this.#stopped.at;
    this.#stopped = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const fn of waiting) fn();
  }

  /** Kills it. */
  kill(): void {
    this.#dead = true;
    this.#waiting = [];
  }

  /** Sets the wall clock of this machine ahead or back. */
  jump(ms: number): void {
    this.#wallOffset += ms;
  }
}
