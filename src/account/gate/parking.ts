import type { Clock } from '../../lib/clock.ts';
import { Heap } from '../../lib/heap.ts';

/** What waits for its turn. */
export interface Ticket {
  /** Identifies the work; a second ticket with the same key replaces the first. */
  key: string;
  /** The lowest goes first: when the present certificate expires, in milliseconds since the epoch. */
  urgency: number;
  /** Called once, when its turn has come. */
  wake: () => void;
}

interface Parked {
  readonly ticket: Ticket;
  readonly blame: number;
  readonly order: number;
  place: number;
  /** Cancels the timer of a ticket that is not ready yet. */
  cancel?: () => void;
}

/** Consecutive faults of a key that cause no delay of its own. */
export const FREE_FAULTS = 2;
/** Delay of a key after the next consecutive fault, in milliseconds; it doubles with each further one. */
export const FIRST_FAULT_DELAY_MS = 60_000;
/** Longest delay of a key after faults, in milliseconds. */
export const MAX_FAULT_DELAY_MS = 8 * 3_600_000;
/** Keys whose faults are remembered. */
const MAX_BLAMED = 10_000;

/**
 * Tickets that wait without a worker, nearest expiry first. A key that met a fault goes behind those that met none, and
 * after several consecutive faults it waits longer and longer: its request itself may make the CA fail, and it must then
 * neither go first nor stop the others again and again.
 */
export class Parking {
  readonly #clock: Clock;
  readonly #onReady: () => void;
  readonly #parked = new Map<string, Parked>();
  readonly #ready = new Heap<Parked>(
    (a, b) =>
      a.blame < b.blame ||
      (a.blame === b.blame &&
        (a.ticket.urgency < b.ticket.urgency ||
          (a.ticket.urgency === b.ticket.urgency && a.order < b.order))),
  );
  readonly #blame = new Map<string, { count: number; at: number }>();
  #order = 0;

  /** `onReady` is called when a delayed ticket becomes ready. */
  constructor(options: { clock: Clock; onReady: () => void }) {
    this.#clock = options.clock;
    this.#onReady = options.onReady;
  }

  get size(): number {
    return this.#parked.size;
  }

  /** `afterMs`: the ticket is not ready before this many milliseconds have passed. */
  park(ticket: Ticket, afterMs = 0): void {
    this.remove(ticket.key);
    const { count, at } = this.#blame.get(ticket.key) ?? { count: 0, at: 0 };
    const parked: Parked = { ticket, blame: count, order: this.#order++, place: -1 };
    this.#parked.set(ticket.key, parked);
    const wait = Math.max(afterMs, at + delayAfter(count) - this.#clock.monotonic());
    if (wait <= 0) this.#ready.push(parked);
    else {
      parked.cancel = this.#clock.timer(wait, () => {
        this.#ready.push(parked);
        this.#onReady();
      });
    }
  }

  remove(key: string): void {
    const parked = this.#parked.get(key);
    if (!parked) return;
    this.#parked.delete(key);
    parked.cancel?.();
    if (this.#ready.has(parked)) this.#ready.remove(parked);
  }

  /** The ticket that goes next. */
  peek(): Ticket | undefined {
    return this.#ready.peek()?.ticket;
  }

  /** Counts a fault of the CA that this key met. */
  blame(key: string): void {
    const count = (this.#blame.get(key)?.count ?? 0) + 1;
    this.#blame.delete(key);
    this.#blame.set(key, { count, at: this.#clock.monotonic() });
    const [oldest] = this.#blame.keys();
    if (this.#blame.size > MAX_BLAMED && oldest !== undefined) this.#blame.delete(oldest);
  }

  /** Forgets the faults of a key that has succeeded. */
  absolve(key: string): void {
    this.#blame.delete(key);
  }
}

function delayAfter(count: number): number {
  return count <= FREE_FAULTS
    ? 0
    : Math.min(MAX_FAULT_DELAY_MS, FIRST_FAULT_DELAY_MS * 2 ** (count - FREE_FAULTS - 1));
}
