import type { Clock } from '../../lib/clock.ts';
import { Heap } from '../../lib/heap.ts';

/** Whoever wants to be told when it is their turn. */
export interface Ticket {
  /** Names who waits; a second ticket of the same replaces the first. */
  key: string;
  /** Work with the lowest number goes first: the time (ms since the epoch) at which the old certificate ends. */
  urgency: number;
  /** Called once, when it is their turn. */
  wake: () => void;
}

interface Parked {
  readonly ticket: Ticket;
  readonly blame: number;
  readonly order: number;
  place: number;
  /** Ends the timer of one that may not go yet. */
  cancel?: () => void;
}

/** From the third fault in a row on, one key waits by itself: 1 minute doubling to 8 hours. */
const FREE_FAULTS = 2;
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 8 * 3_600_000;
/** Keys whose faults are remembered. */
const MAX_BLAMED = 10_000;

/**
 * Those who wait without holding a worker, nearest expiry first. Whoever met a fault goes behind those who met none, and
 * after some in a row waits longer and longer: it may be what it asks for that the CA cannot bear, and then it must
 * neither be the one that others wait for nor stop them again and again.
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

  /** `onReady` is called when somebody may go who could not before. */
  constructor(options: { clock: Clock; onReady: () => void }) {
    this.#clock = options.clock;
    this.#onReady = options.onReady;
  }

  get size(): number {
    return this.#parked.size;
  }

  /** `afterMs`: the least time after which it can use its turn. */
  park(ticket: Ticket, afterMs = 0): void {
    this.remove(ticket.key);
    const { count, at } = this.#blame.get(ticket.key) ?? { count: 0, at: 0 };
    const parked: Parked = { ticket, blame: count, order: this.#order++, place: -1 };
    this.#parked.set(ticket.key, parked);
    const wait = Math.max(afterMs, at + waitOf(count) - this.#clock.monotonic());
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

  /** Who goes next. */
  peek(): Ticket | undefined {
    return this.#ready.peek()?.ticket;
  }

  /** This key met a fault of the CA. */
  blame(key: string): void {
    const count = (this.#blame.get(key)?.count ?? 0) + 1;
    this.#blame.delete(key);
    this.#blame.set(key, { count, at: this.#clock.monotonic() });
    const [oldest] = this.#blame.keys();
    if (this.#blame.size > MAX_BLAMED && oldest !== undefined) this.#blame.delete(oldest);
  }

  /** This key got what it wanted. */
  absolve(key: string): void {
    this.#blame.delete(key);
  }
}

function waitOf(count: number): number {
  return count <= FREE_FAULTS ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (count - FREE_FAULTS - 1));
}
