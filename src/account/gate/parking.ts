import { SortedSet } from './sorted-set.ts';

/** What waits for its turn. */
export interface Ticket {
  /** Identifies the work; a second ticket with the same key replaces the first. */
  key: string;
  /** The lowest goes first: when the present certificate expires, in milliseconds since the epoch. */
  urgency: number;
  /** What only one key at a time may work on, besides needing a place. */
  lock?: string;
  /** Called once, when its turn has come. */
  wake: () => void;
}

/** A ticket that waits. It stands in one of three sets: not ready before a time, ready, or behind the holder of its lock. */
interface Parked {
  readonly ticket: Ticket;
  /** Consecutive faults that its key had met when it was parked. */
  readonly faults: number;
  readonly order: number;
  /** Monotonic milliseconds. */
  readonly readyAt: number;
}

/** Consecutive faults of the CA that one key met, and when it met the last one, in monotonic milliseconds. */
interface Blame {
  readonly key: string;
  readonly count: number;
  readonly at: number;
}

/**
 * Tickets that wait without a worker, nearest expiry first. A key that met a fault goes behind those that met none, and after
 * several consecutive faults it waits longer and longer: its request itself may make the CA fail, and it must then neither go
 * first nor stop the others again and again. A value; the functions of this file return the next one.
 */
export interface Parking {
  readonly byKey: SortedSet<Parked>;
  readonly delayed: SortedSet<Parked>;
  readonly ready: SortedSet<Parked>;
  readonly behind: SortedSet<Parked>;
  readonly blamed: SortedSet<Blame>;
  readonly order: number;
}

/** Consecutive faults of a key that cause no delay of its own. */
export const FREE_FAULTS = 2;
/** Delay of a key after the next consecutive fault, in milliseconds; it doubles with each further one. */
export const FIRST_FAULT_DELAY_MS = 60_000;
/** Longest delay of a key after faults, in milliseconds. */
export const MAX_FAULT_DELAY_MS = 8 * 3_600_000;

const byRank = (a: Parked, b: Parked): number =>
  a.faults - b.faults || a.ticket.urgency - b.ticket.urgency || a.order - b.order;

export const NOBODY: Parking = {
  byKey: new SortedSet<Parked>((a, b) => compareText(a.ticket.key, b.ticket.key)),
  delayed: new SortedSet<Parked>((a, b) => a.readyAt - b.readyAt || a.order - b.order),
  ready: new SortedSet(byRank),
  behind: new SortedSet<Parked>(
    (a, b) => compareText(a.ticket.lock ?? '', b.ticket.lock ?? '') || byRank(a, b),
  ),
  blamed: new SortedSet<Blame>((a, b) => compareText(a.key, b.key)),
  order: 0,
};

/** Parks a ticket, which is not ready before `afterMs` milliseconds from `now` (monotonic). */
export function parked(parking: Parking, ticket: Ticket, now: number, afterMs = 0): Parking {
  const rest = removed(parking, ticket.key);
  const { count, at } = rest.blamed.find(blameOf(ticket.key)) ?? { count: 0, at: 0 };
  const readyAt = Math.max(now + afterMs, at + delayAfter(count));
  const entry: Parked = { ticket, faults: count, order: rest.order, readyAt };
  const next = { ...rest, byKey: rest.byKey.with(entry), order: rest.order + 1 };
  return readyAt > now
    ? { ...next, delayed: rest.delayed.with(entry) }
    : { ...next, ready: rest.ready.with(entry) };
}

/** Removes the ticket of a key. The first that waits behind the same lock becomes ready instead. */
export function removed(parking: Parking, key: string): Parking {
  const entry = parking.byKey.find(entryOf(key));
  if (!entry) return parking;
  const rest = {
    ...parking,
    byKey: parking.byKey.without(entry),
    delayed: parking.delayed.without(entry),
    ready: parking.ready.without(entry),
    behind: parking.behind.without(entry),
  };
  return entry.ticket.lock === undefined ? rest : unlocked(rest, entry.ticket.lock);
}

/** Makes tickets ready whose time has come. */
export function due(parking: Parking, now: number): Parking {
  let { delayed, ready } = parking;
  for (let { first } = delayed; first && first.readyAt <= now; { first } = delayed) {
    delayed = delayed.without(first);
    ready = ready.with(first);
  }
  return ready === parking.ready ? parking : { ...parking, delayed, ready };
}

/** Puts the first ready ticket behind the holder of its lock. */
export function locked(parking: Parking): Parking {
  const { first } = parking.ready;
  if (!first) return parking;
  return { ...parking, ready: parking.ready.without(first), behind: parking.behind.with(first) };
}

/** Makes the first ticket ready that waits behind a lock. */
export function unlocked(parking: Parking, lock: string): Parking {
  const first = parking.behind.firstFrom({ ...entryOf(''), ticket: { ...NO_TICKET, lock } });
  if (first?.ticket.lock !== lock) return parking;
  return { ...parking, behind: parking.behind.without(first), ready: parking.ready.with(first) };
}

/** Counts a fault of the CA that this key met. */
export function blamed(parking: Parking, key: string, now: number): Parking {
  const count = (parking.blamed.find(blameOf(key))?.count ?? 0) + 1;
  return { ...parking, blamed: parking.blamed.with({ key, count, at: now }) };
}

/** Forgets the faults of a key that has succeeded, or that is gone. */
export function absolved(parking: Parking, key: string): Parking {
  return { ...parking, blamed: parking.blamed.without(blameOf(key)) };
}

const NO_TICKET: Ticket = { key: '', urgency: -Infinity, wake: () => undefined };

function entryOf(key: string): Parked {
  return { ticket: { ...NO_TICKET, key }, faults: -Infinity, order: -Infinity, readyAt: 0 };
}

function blameOf(key: string): Blame {
  return { key, count: 0, at: 0 };
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function delayAfter(count: number): number {
  return count <= FREE_FAULTS
    ? 0
    : Math.min(MAX_FAULT_DELAY_MS, FIRST_FAULT_DELAY_MS * 2 ** (count - FREE_FAULTS - 1));
}
