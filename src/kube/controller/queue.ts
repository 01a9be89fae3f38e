import type { Clock } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';
import { Heap } from '../../lib/heap.ts';
import type { QueueMetrics, QueueObserver, QueueState } from '../../metrics/queue.ts';

export interface QueueOptions {
  /** Names the queue in metrics. */
  name: string;
  clock: Clock;
  /** Whether a key belongs to this process, checked when it is added and again before it is handed out. Default: all keys do. */
  owns?: (key: string) => boolean;
  metrics?: QueueMetrics;
}

export interface AddOptions {
  /** Milliseconds on the monotonic clock until the key is due. Default: 0. */
  afterMs?: number;
  /** The ready key with the lowest number goes first. Default: 0; for whole lists see `LIST_PRIORITY`. */
  priority?: number;
  /** Why the key is added, for logs. The reconcile does not get it. */
  reason?: string;
}

/** A key that was handed out. Its worker must call `done` once. */
export interface QueueItem {
  key: string;
  /** Why the key was added: the first four different reasons. */
  reasons: readonly string[];
}

/** The queue was shut down, so `next` hands out nothing more. */
export class QueueShutDownError extends AppError {
  constructor() {
    super('QueueShutDown', 'The queue is shut down.');
  }
}

/** Priority of keys from a whole list, at startup or after a gap. Live changes go before them. */
export const LIST_PRIORITY = 100;

/**
 * How often the wall clock is compared with the monotonic clock, in milliseconds. The wall clock may jump, and the monotonic clock
 * stands still while the machine is suspended.
 */
export const WALL_CHECK_MS = 60_000;
/** A difference between the two clocks of at least this many milliseconds is a jump; less is drift. */
export const WALL_JUMP_MS = 500;
const MAX_REASONS = 4;

interface Entry {
  readonly key: string;
  place: number;
  /** Monotonic time from which it is due; Infinity if only the wall clock decides. */
  due: number;
  /** Wall-clock time from which it is due; Infinity if only the monotonic clock decides. */
  wallDue: number;
  /** Monotonic time at which the timer checks the entry again. */
  wake: number;
  priority: number;
  /** Position by time of being added, then by time of becoming ready. */
  order: number;
  readySince: number;
  reasons: readonly string[];
}

interface Waiter {
  give(item: QueueItem): void;
  fail(error: Error): void;
}

const NO_REASONS: readonly string[] = [];
const SINGLE_REASONS = new Map<string, readonly string[]>();
const MAX_SINGLE_REASONS = 64;

/**
 * The work queue of one controller.
 *
 * Guarantees: a key is handed out to one worker at a time. An add while it runs causes exactly one more run. If a key is added twice,
 * the earlier time and the more urgent priority count. Ready keys are ordered by priority, then first come, first served. No add is
 * lost. Shutting down waits for running keys and drops waiting ones, which the next start lists again.
 *
 * All delayed keys share one heap and one armed timer. An add is O(log n).
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #owns: (key: string) => boolean;
  readonly #observer: QueueObserver | undefined;
  /** At most one entry per key: in `#delayed`, in `#ready`, or in neither while its key runs. */
  readonly #entries = new Map<string, Entry>();
  readonly #delayed = new Heap<Entry>((a, b) => a.wake < b.wake || (a.wake === b.wake && a.order < b.order));
  readonly #ready = new Heap<Entry>(
    (a, b) => a.priority < b.priority || (a.priority === b.priority && a.order < b.order),
  );
  /** Keys that were handed out, and since when. */
  readonly #running = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  readonly #idle = new Set<() => void>();
  readonly #forgetters = new Set<(key: string) => void>();
  #order = 0;
  #armed: { at: number; cancel: () => void } | undefined;
  /** How many delayed keys wait for a time on the wall clock. */
  #wallDelayed = 0;
  /** How far the wall clock was ahead of the monotonic clock when the delayed keys were last placed. */
  #wallOffset: number;
  #shut = false;

  constructor(options: QueueOptions) {
    this.#clock = options.clock;
    this.#owns = options.owns ?? (() => true);
    this.#wallOffset = this.#offset();
    this.#observer = options.metrics?.attach(options.name, () => this.state());
  }

  /** Keys that are ready and wait for a worker. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** Keys that were handed out and are not done. */
  get running(): number {
    return this.#running.size;
  }

  /** Adds a key, due at once or after a delay. Throws a RangeError if the delay is not finite. */
  add(key: string, options: AddOptions = {}): void {
    const { afterMs = 0, priority = 0, reason } = options;
    if (!Number.isFinite(afterMs)) throw new RangeError(`Expected a delay in milliseconds, got ${afterMs}`);
    this.#merge(key, this.#clock.monotonic() + Math.max(0, afterMs), Infinity, priority, reason);
  }

  /**
   * Adds a key that is due at a time on the wall clock (milliseconds since the epoch). The queue checks that clock once a minute, so
   * after a jump or a suspend the key is never early, and late by a minute at most. Throws a RangeError if the time is not finite.
   */
  addAt(key: string, at: number, options: Omit<AddOptions, 'afterMs'> = {}): void {
    const { priority = 0, reason } = options;
    if (!Number.isFinite(at)) throw new RangeError(`Expected a time in milliseconds, got ${at}`);
    this.#merge(key, Infinity, at, priority, reason);
  }

  /** Like `add` with a delay, but counted as a retry in metrics. */
  retry(key: string, afterMs: number, reason?: string): void {
    this.#observer?.retried();
    this.add(key, { afterMs, ...(reason === undefined ? {} : { reason }) });
  }

  /** Drops the waiting entry of a key whose object is gone, and tells the listeners. A running reconcile goes on. */
  forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry) this.#drop(entry);
    for (const listener of this.#forgetters) listener(key);
  }

  /** Calls back with each key that is forgotten. */
  onForgotten(listener: (key: string) => void): void {
    this.#forgetters.add(listener);
  }

  /** Waits for the next key. Rejects with the signal's reason or a `QueueShutDownError`. */
  next(signal?: AbortSignal): Promise<QueueItem> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiter.fail(signal?.reason as Error);
      const settle = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        give(item) {
          settle();
          resolve(item);
        },
        fail(error) {
          settle();
          reject(error);
        },
      };
      if (signal?.aborted) return waiter.fail(signal.reason as Error);
      if (this.#shut) return waiter.fail(new QueueShutDownError());
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      return this.#deliver();
    });
  }

  /** Ends the work on a key from `next`. If the key was added meanwhile, it waits in the queue again. */
  done(key: string): void {
    const since = this.#running.get(key);
    if (since === undefined) return;
    this.#running.delete(key);
    this.#observer?.finished((this.#clock.monotonic() - since) / 1000);
    const added = this.#entries.get(key);
    if (added) this.#place(added);
    if (this.#running.size === 0) for (const idle of this.#idle) idle();
  }

  /** Hands out nothing more, drops all waiting keys, and resolves once all running keys are done. */
  async shutDown(): Promise<void> {
    this.#shut = true;
    this.#entries.clear();
    this.#delayed.clear();
    this.#wallDelayed = 0;
    this.#ready.clear();
    this.#armed?.cancel();
    this.#armed = undefined;
    for (const waiter of this.#waiters) waiter.fail(new QueueShutDownError());
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle.add(resolve);
    });
  }

  /** The present state, for gauges and a liveness check. */
  state(): QueueState {
    const now = this.#clock.monotonic();
    let unfinished = 0;
    let longest = 0;
    for (const since of this.#running.values()) {
      unfinished += now - since;
      longest = Math.max(longest, now - since);
    }
    return {
      depth: this.#ready.size,
      unfinishedSeconds: unfinished / 1000,
      longestRunningSeconds: longest / 1000,
    };
  }

  #merge(key: string, due: number, wallDue: number, priority: number, reason: string | undefined): void {
    if (this.#shut || !this.#owns(key)) return;
    this.#observer?.added();
    const known = this.#entries.get(key);
    if (known) {
      if (this.#delayed.has(known)) this.#undelay(known);
      known.due = Math.min(known.due, due);
      known.wallDue = Math.min(known.wallDue, wallDue);
      known.priority = Math.min(known.priority, priority);
      known.reasons = withReason(known.reasons, reason);
      this.#place(known);
      return;
    }
    const entry: Entry = {
      key,
      place: -1,
      due,
      wallDue,
      wake: due,
      priority,
      order: this.#order++,
      readySince: 0,
      reasons: withReason(NO_REASONS, reason),
    };
    this.#entries.set(key, entry);
    this.#place(entry);
  }

  /** Moves an entry to where it belongs now: to `#ready`, to `#delayed`, or nowhere while its key runs. */
  #place(entry: Entry): void {
    if (this.#running.has(entry.key)) return;
    if (this.#ready.has(entry)) {
      this.#ready.update(entry);
      return;
    }
    const now = this.#clock.monotonic();
    const wallLeft = entry.wallDue - this.#clock.now();
    if (entry.due <= now || wallLeft <= 0) {
      if (this.#delayed.has(entry)) this.#undelay(entry);
      entry.order = this.#order++;
      entry.readySince = now;
      this.#ready.push(entry);
      this.#deliver();
      return;
    }
    if (this.#delayed.has(entry)) this.#undelay(entry);
    if (entry.wallDue !== Infinity) this.#wallDelayed += 1;
    entry.wake = Math.min(entry.due, now + wallLeft);
    this.#delayed.push(entry);
    this.#arm(now);
  }

  #undelay(entry: Entry): void {
    this.#delayed.remove(entry);
    if (entry.wallDue !== Infinity) this.#wallDelayed -= 1;
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.key);
    if (this.#ready.has(entry)) this.#ready.remove(entry);
    else if (this.#delayed.has(entry)) this.#undelay(entry);
  }

  #deliver(): void {
    for (const waiter of this.#waiters) {
      const entry = this.#takeReady();
      if (!entry) return;
      const now = this.#clock.monotonic();
      this.#running.set(entry.key, now);
      this.#observer?.started((now - entry.readySince) / 1000);
      waiter.give({ key: entry.key, reasons: entry.reasons });
    }
  }

  #takeReady(): Entry | undefined {
    for (let entry = this.#ready.pop(); entry; entry = this.#ready.pop()) {
      this.#entries.delete(entry.key);
      if (this.#owns(entry.key)) return entry;
    }
    return undefined;
  }

  /** Arms the one timer for the first delayed key, or for the next check of the wall clock if that is earlier. */
  #arm(now: number): void {
    const first = this.#delayed.peek();
    if (!first) return;
    const at = this.#wallDelayed > 0 ? Math.min(first.wake, now + WALL_CHECK_MS) : first.wake;
    if (this.#armed && this.#armed.at <= at) return;
    this.#armed?.cancel();
    const cancel = this.#clock.timer(at - now, () => this.#onTimer());
    this.#armed = { at, cancel };
  }

  #offset(): number {
    return this.#clock.now() - this.#clock.monotonic();
  }

  /** After a jump of the wall clock, places all delayed keys again. */
  #followWallClock(): void {
    const offset = this.#offset();
    if (this.#wallDelayed === 0 || Math.abs(offset - this.#wallOffset) < WALL_JUMP_MS) return;
    this.#wallOffset = offset;
    for (const entry of this.#entries.values()) if (this.#delayed.has(entry)) this.#place(entry);
  }

  #onTimer(): void {
    this.#armed = undefined;
    this.#followWallClock();
    const now = this.#clock.monotonic();
    for (let first = this.#delayed.peek(); first && first.wake <= now; first = this.#delayed.peek())
      this.#place(first);
    this.#arm(now);
  }
}

function withReason(reasons: readonly string[], reason: string | undefined): readonly string[] {
  if (reason === undefined || reasons.length >= MAX_REASONS || reasons.includes(reason)) return reasons;
  return reasons.length === 0 ? onlyReason(reason) : [...reasons, reason];
}

/** Keys with the same single reason share one list; 50,000 waiting keys would otherwise have one each. */
function onlyReason(reason: string): readonly string[] {
  const known = SINGLE_REASONS.get(reason);
  if (known) return known;
  const list = [reason];
  if (SINGLE_REASONS.size < MAX_SINGLE_REASONS) SINGLE_REASONS.set(reason, list);
  return list;
}
