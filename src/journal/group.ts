import { randomUUID } from 'node:crypto';
import { asError, TerminalError } from '../lib/errors.ts';
import { type Bounds, type Need, type Obstacle, recordsToDrop, Room } from './bounds.ts';
import { bytesOf, type Contents } from './contents.ts';
import { digestOf, type EntryText, entryKey, recordKey, type RecordText } from './layout.ts';

/** A moment on both clocks. */
export interface Moment {
  wall: number;
  monotonic: number;
}

/** An entry that is to be written. */
export interface Opening {
  section: string;
  owner: string;
  /** Whose room it takes, such as an issuer and a namespace. */
  group: string;
  /** What it asks for, if no two entries may ask for the same (F6). */
  request?: string;
  /** The id of the entry of this owner that it replaces. */
  replaces?: string;
  /** What is put on record in the same write, about the entry that is replaced. */
  records?: readonly Recording[];
  /**
   * Makes what the user of the journal keeps in it. Called in the tick in which the write is put together, so that the highest
   * ids are those of that moment (F7).
   */
  make: (id: string) => unknown;
  settle: Settle<OpeningResult>;
}

export type OpeningResult =
  /** It is in the journal. `since` is a moment before the write was sent. */
  | { is: 'open'; id: string; entry: unknown; since: Moment }
  /** It has to wait, and its resource is woken when it may fit. */
  | { is: 'parked'; obstacle: Obstacle };

/** An entry that is to be removed, or records that are to be kept. */
export interface Closing {
  section: string;
  owner: string;
  /** The entry, unless it is replaced meanwhile; `unreadable` removes one that cannot be read. */
  id: string;
  records?: readonly Recording[];
  /** Absent if nobody waits for the write. */
  settle?: Settle<void>;
}

/** Of records about an entry that cannot be read. */
const NO_GROUP = digestOf('');
/** Stands for the id of an entry that cannot be read. */
export const UNREADABLE = 'unreadable';

/** Something to be remembered, such as a certificate that was given up. */
export interface Recording {
  /** A second record of the same name replaces the first. */
  name: string;
  /** Whose room it takes; that of the entry if it is absent. */
  group?: string;
  record: unknown;
}

export interface Settle<T> {
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

/** The next version of the journal, and what its write means for those who wait for it. */
export interface Draft {
  contents: Contents;
  /** Called after the write. */
  opened: { opening: Opening; result: OpeningResult & { is: 'open' } }[];
  closed: readonly Closing[];
  /** Those of them that remove an entry. */
  removed: readonly Closing[];
  /** These are not in the draft. */
  parked: { opening: Opening; need: Need; obstacle: Obstacle }[];
  failed: { opening: Opening; error: Error }[];
}

/**
 * Puts one write together: removals and records first, since they make room, then the entries in the order in which they were
 * asked for. What does not fit, or cannot be made, stays out and costs the others nothing.
 */
export function draftOf(
  contents: Contents,
  waiting: { closings: readonly Closing[]; openings: readonly Opening[] },
  since: Moment,
  bounds: Bounds,
): Draft {
  const next = contents.copy();
  const removed = waiting.closings.filter((closing) => close(next, closing, since, bounds));
  const draft: Draft = {
    contents: next,
    opened: [],
    closed: waiting.closings,
    removed,
    parked: [],
    failed: [],
  };
  const room = new Room(draft.contents, bounds);
  for (const opening of waiting.openings) open(draft, room, opening, since, bounds);
  return draft;
}

/** Whether an entry was removed. */
function close(
  contents: Contents,
  { section, owner, id, records = [] }: Closing,
  since: Moment,
  bounds: Bounds,
): boolean {
  const key = entryKey(section, owner);
  const group = contents.entries.get(key)?.group ?? NO_GROUP;
  const isPresent = idUnder(contents, key) === id;
  if (isPresent) contents.set(key, undefined);
  record(contents, { section, records, group }, since, bounds);
  return isPresent;
}

function open(draft: Draft, room: Room, opening: Opening, since: Moment, bounds: Bounds): void {
  const { contents } = draft;
  const { section, owner, replaces, records = [] } = opening;
  const key = entryKey(section, owner);
  const present = idUnder(contents, key);
  if (present !== undefined && present !== replaces) {
    const error = new TerminalError('EntryTaken', 'The resource has an entry in the journal already.');
    draft.failed.push({ opening, error });
    return;
  }
  const group = digestOf(opening.group);
  const request = opening.request === undefined ? undefined : digestOf(opening.request);
  const need = { key, group, request, bytes: bounds.entryBytes };
  // The place of the one that it replaces is its own.
  const obstacle = room.obstacleFor(need);
  if (obstacle) {
    draft.parked.push({ opening, need, obstacle });
    return;
  }
  const id = randomUUID();
  let entry: unknown;
  let text: string;
  try {
    entry = opening.make(id);
    const stored: EntryText = { id, group, ...(request === undefined ? {} : { request }), entry };
    text = JSON.stringify(stored);
    if (bytesOf(key, text) > bounds.entryBytes)
      throw new EntryTooLarge(bytesOf(key, text), bounds.entryBytes);
  } catch (thrown) {
    draft.failed.push({ opening, error: asError(thrown) });
    return;
  }
  contents.set(key, text);
  room.take(need);
  record(contents, { section, records, group }, since, bounds);
  draft.opened.push({ opening, result: { is: 'open', id, entry, since } });
}

/** An entry would take more room than one may. It concerns that resource alone. */
export class EntryTooLarge extends TerminalError {
  readonly bytes: number;
  readonly limit: number;

  constructor(bytes: number, limit: number) {
    super('EntryTooLarge', 'The resource’s entry in the journal would be larger than an entry may be.');
    this.bytes = bytes;
    this.limit = limit;
  }
}

function record(
  contents: Contents,
  { section, records, group: own }: { section: string; records: readonly Recording[]; group: string },
  { wall }: Moment,
  bounds: Bounds,
): void {
  for (const { name, group: other, record: content } of records) {
    const key = recordKey(section, name);
    const group = other === undefined ? own : digestOf(other);
    const stored: RecordText = { group, at: wall, record: content };
    const text = JSON.stringify(stored);
    for (const old of recordsToDrop(contents, { key, text, group }, bounds)) contents.set(old, undefined);
    contents.set(key, text);
  }
}

function idUnder({ entries }: Contents, key: string): string | undefined {
  if (!entries.has(key)) return undefined;
  return entries.get(key)?.id ?? UNREADABLE;
}

/** The entries of a journal that was put back, marked as such. */
export function markPutBack(contents: Contents): void {
  for (const [key, entry] of contents.entries)
    if (entry && !entry.isPutBack) contents.set(key, JSON.stringify({ ...entry, isPutBack: true }));
}
