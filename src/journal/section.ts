import { TerminalError } from '../lib/errors.ts';
import type { Bounds, Obstacle } from './bounds.ts';
import { bytesOf } from './contents.ts';
import { TermOver } from './errors.ts';
import { type Closing, type Moment, type Recording, UNREADABLE } from './group.ts';
import type { HighestIds } from './highest-ids.ts';
import {
  digestOf,
  type EntryText,
  entryKey,
  isRecordOf,
  recordKey,
  type RecordText,
  ownerOf,
} from './layout.ts';
import type { Term } from './term.ts';

/** Reads what was written as JSON. Undefined for what it does not understand. */
export type Codec<T> = (value: unknown) => T | undefined;

/** Reads each text once, since all entries are gone through for each purchase. The journal replaces a text and never changes it. */
function readOnce<T>(codec: Codec<T>): Codec<T> {
  const known = new WeakMap<object, { value: T | undefined }>();
  return (text) => {
    if (typeof text !== 'object' || text === null) return codec(text);
    const found = known.get(text) ?? { value: codec(text) };
    known.set(text, found);
    return found.value;
  };
}

/** How entries and records are read, each text once. */
export function codecsOf<Entry, Record>({
  name,
  entry,
  record,
}: Codecs<Entry, Record>): Codecs<Entry, Record> {
  return { name, entry: readOnce(entry), record: readOnce(record) };
}

/** The owner of no entry, and the id of none. */
const NOBODY = 'nobody';

/** What the journal holds for a resource. */
export type EntryView<Entry> =
  | { is: 'open'; id: string; entry: Entry; isPutBack: boolean }
  /** Nobody can tell what it says. It counts as taken until a person, or `remove` with this id, takes it away. */
  | { is: 'unreadable'; id: string };

/** The answer to `open`. */
export type Opened<Entry> =
  | { is: 'open'; id: string; entry: Entry; since: Moment }
  /** Nothing was written. The resource is woken when there may be room. */
  | { is: 'parked'; obstacle: Obstacle };

/** What is to be opened. */
export interface Wish<Entry> {
  owner: string;
  /** Whose room it takes, such as an issuer and a namespace: at most `groupEntries` of a group are open. */
  group: string;
  /** At most one entry with this is open, if it is given (F6): the account and the hash of the request, without a marker. */
  request?: string;
  /** The id of the entry of this resource that it replaces, in the same write. */
  replaces?: string;
  /** What is put on record in that write. */
  records?: readonly Recording[];
  /** The entry. Called just before the write, with its random id: take highest ids here (F7). Must not throw. */
  make: (id: string) => Entry;
}

/** The journal of one CA. It is there in a term, and not while the journal is taken over. */
export class Section<Entry, Record> {
  readonly #view: () => View<Entry, Record> | undefined;
  readonly #shared: { highest: HighestIds; refused: (owner: string) => void };

  constructor(
    view: () => View<Entry, Record> | undefined,
    shared: { highest: HighestIds; refused: (owner: string) => void },
  ) {
    this.#view = view;
    this.#shared = shared;
  }

  /**
   * The journal as it is now, to decide on a resource with: take it before anything else that the decision needs is read,
   * and write with the same one, since it is over when the journal is found changed (F2). Undefined while the journal is
   * taken over; the resource is then woken when it is ready.
   */
  viewFor(owner: string): View<Entry, Record> | undefined {
    const view = this.#view();
    if (!view) this.#shared.refused(owner);
    return view;
  }

  /** The same for what is not about one resource, such as an inventory. Nothing is woken. */
  get view(): View<Entry, Record> | undefined {
    return this.#view();
  }

  /** The highest id that is known under a name, such as an account and an authority; 0 if none is. Also between terms. */
  highest(name: string): number {
    return this.#shared.highest.get(name);
  }

  /** An id was seen. It goes into the journal with the next write. */
  raise(name: string, id: number): void {
    this.#shared.highest.raise(name, id);
  }

  /** Sets the highest id although a higher one was seen, for a CA whose lists contradict it. */
  lower(name: string, id: number): void {
    this.#shared.highest.set(name, id);
  }
}

/** How the entries and records of a section are read. */
export interface Codecs<Entry, Record> {
  /** The name of the section. */
  name: string;
  entry: Codec<Entry>;
  record: Codec<Record>;
}

interface Shared {
  term: Term;
  bounds: Bounds;
  /** Whether somebody waits for what a removal frees; with a request, for that. */
  isAwaited: (request?: string) => boolean;
  /** The term was over: the resource is to be woken in the next one. */
  refused: (owner: string) => void;
}

/** The journal in one term, as the code of one CA sees it. */
export class View<Entry, Record> {
  readonly #codecs: Codecs<Entry, Record>;
  readonly #shared: Shared;

  constructor(codecs: Codecs<Entry, Record>, shared: Shared) {
    this.#codecs = codecs;
    this.#shared = shared;
  }

  /** Whether what was decided with it still counts. To be asked again before the first byte of a request leaves. */
  get isCurrent(): boolean {
    return !this.#shared.term.isOver;
  }

  /**
   * Set if the journal was missing or put back when it was taken over: the CA may have acted, before this moment in milliseconds since
   * the epoch, on requests whose entries are lost. Look at the CA before another one is sent (F12).
   */
  get lacksEntriesBefore(): number | undefined {
    return this.#shared.term.lacksEntriesBefore;
  }

  /** The entry of a resource; undefined if it has none, or if that is about to be removed. */
  entry(owner: string): EntryView<Entry> | undefined {
    const { term } = this.#shared;
    const key = entryKey(this.#codecs.name, owner);
    if (!term.contents.entries.has(key)) return undefined;
    const view = this.#viewOf(term.contents.entries.get(key));
    return term.isLeaving(key, view.id) ? undefined : view;
  }

  /** The entries of a resource that may have several, by owner; without those that are about to be removed. */
  *entriesOf(uid: string): Generator<[owner: string, view: EntryView<Entry>]> {
    for (const key of this.#shared.term.contents.entries.keys()) {
      const owner = ownerOf(this.#codecs.name, key);
      if (owner === undefined || !owner.startsWith(`${uid}.`)) continue;
      const view = this.entry(owner);
      if (view) yield [owner, view];
    }
  }

  /** Whether another resource waits until the request of this entry is open no more. */
  isInTheWay(owner: string): boolean {
    const { term, isAwaited } = this.#shared;
    const request = term.contents.entries.get(entryKey(this.#codecs.name, owner))?.request;
    return request !== undefined && isAwaited(request);
  }

  /** All entries by owner: those that are about to be removed too, since they are open until they are. */
  *entries(): Generator<[string, EntryView<Entry>]> {
    for (const [key, stored] of this.#shared.term.contents.entries) {
      const owner = ownerOf(this.#codecs.name, key);
      if (owner === undefined) continue;
      yield [owner, this.#viewOf(stored)];
    }
  }

  /**
   * Writes an entry, together with all that others want written. Resolves once it is in the journal, or with `parked` if it has
   * to wait. Rejects with a `TermOver` if the journal was found changed or the answer was lost: then nothing may be sent, and
   * the resource is woken in the next term; with an `EntryTooLarge`; or with a `JournalRefused`.
   */
  async open({ make, ...wish }: Wish<Entry>): Promise<Opened<Entry>> {
    this.#check(wish.records);
    let made: Entry | undefined;
    const makeOnce = (id: string): Entry => (made = make(id));
    const section = this.#codecs.name;
    const result = await this.#noting(
      wish.owner,
      this.#shared.term.open({ ...wish, section, make: makeOnce }),
    );
    return result.is === 'parked' ? result : { ...result, entry: made as Entry };
  }

  /**
   * Removes an entry and keeps records, and resolves once that is written. Nothing happens to an entry with another id. Rejects like
   * `open`.
   */
  async remove({ owner, id, records }: Removal): Promise<void> {
    this.#check(records);
    await this.#noting(owner, this.#shared.term.close(this.#closing({ owner, id, records })));
  }

  /**
   * The same without waiting for it: with the next write, or by itself when traffic stops. If the term ends before, nothing
   * is written, and the resource is woken in the next one since it still has its entry.
   */
  removeLater({ owner, id, records }: Removal): void {
    this.#check(records);
    const { term, isAwaited } = this.#shared;
    term.closeLater(this.#closing({ owner, id, records }), isAwaited());
  }

  /** Keeps records, and resolves once they are written. `waker`: what is woken if the term ends before. Rejects like `open`. */
  async record(waker: string, records: readonly Recording[]): Promise<void> {
    this.#check(records);
    const closing = this.#closing({ owner: NOBODY, id: NOBODY, records });
    await this.#noting(waker, this.#shared.term.close(closing));
  }

  /** What is on record under this name. */
  recorded(name: string): Record | undefined {
    return this.#read(this.#shared.term.contents.records.get(recordKey(this.#codecs.name, name)));
  }

  /** All records that can be read. */
  *records(): Generator<Record> {
    for (const [key, stored] of this.#shared.term.contents.records) {
      const record = isRecordOf(this.#codecs.name, key) ? this.#read(stored) : undefined;
      if (record !== undefined) yield record;
    }
  }

  #viewOf(stored: EntryText | undefined): EntryView<Entry> {
    if (!stored) return { is: 'unreadable', id: UNREADABLE };
    const { id, isPutBack = false } = stored;
    const entry = this.#codecs.entry(stored.entry);
    return entry === undefined ? { is: 'unreadable', id } : { is: 'open', id, entry, isPutBack };
  }

  #read(stored: RecordText | undefined): Record | undefined {
    return stored && this.#codecs.record(stored.record);
  }

  #closing({ owner, id, records }: Removal): Omit<Closing, 'settle'> {
    return { section: this.#codecs.name, owner, id, ...(records ? { records } : {}) };
  }

  /** Records that could not be stored must be known before anything relies on them. */
  #check(records: readonly Recording[] = []): void {
    const { recordBytes } = this.#shared.bounds;
    for (const { name, group, record } of records) {
      const stored: RecordText = { group: digestOf(group ?? ''), at: Number.MAX_SAFE_INTEGER, record };
      if (bytesOf(recordKey(this.#codecs.name, name), JSON.stringify(stored)) > recordBytes)
        throw new TerminalError('RecordTooLarge', 'A record for the journal is larger than a record may be.');
    }
  }

  async #noting<T>(owner: string, written: Promise<T>): Promise<T> {
    try {
      return await written;
    } catch (error) {
      if (error instanceof TermOver) this.#shared.refused(owner);
      throw error;
    }
  }
}

/** What is to be removed. */
export interface Removal {
  owner: string;
  /** The id of the entry, as read. */
  id: string;
  records?: readonly Recording[] | undefined;
}
