import type { Clock } from '../lib/clock.ts';
import type { Bounds } from './bounds.ts';
import type { Contents } from './contents.ts';
import { type EndOfTerm, JournalRefused, TermOver } from './errors.ts';
import { type Closing, type Draft, draftOf, type Moment, type Opening, type OpeningResult } from './group.ts';
import type { HighestIds } from './highest-ids.ts';
import { entryKey } from './layout.ts';
import type { OwnVersions } from './put-back.ts';
import type { Changes, JournalStore, Outcome } from './store.ts';
import type { Taken } from './takeover.ts';

export interface TermOptions {
  store: JournalStore;
  /** Of the records. */
  records: JournalStore;
  clock: Clock;
  /** Whether this process leads at this moment. */
  leads: () => boolean;
  highest: HighestIds;
  versions: OwnVersions;
  bounds: Bounds;
  /** What was taken over. */
  taken: Taken;
  on: {
    /** An entry has to wait. Called before anybody else can free a place. */
    parked: (parked: Draft['parked'][number]) => void;
    /** These removals are written, and their entries are gone. */
    removed: (removals: readonly Closing[]) => void;
    outcome: (outcome: Outcome['is'], groupSize: number) => void;
    ended: (end: EndOfTerm) => void;
  };
}

/** How long a removal that nobody waits for may wait for another write, in milliseconds. */
export const FLUSH_MS = 1000;
/** When a removal is tried again that the API server refused, in milliseconds. */
export const RETRY_FLUSH_MS = 30_000;

/**
 * The time between a takeover and the next one. At most one write is under way, over the version that this process wrote last;
 * all who wait when it ends go into the next one together. A write that is refused for its version, or not answered, ends
 * the term: all that waits is dropped, and what was decided in it can be written no more (F2).
 */
export class Term {
  readonly #options: TermOptions;
  #contents: Contents;
  #version: string;
  #recordVersion: string | undefined;
  #openings: Opening[] = [];
  #closings: Closing[] = [];
  #isWriting = false;
  #cancelFlush: (() => void) | undefined;
  /** Removals whose records the API server refused. They are tried again later, and keep nobody else waiting. */
  #deferred: Closing[] = [];
  #cancelRetry: (() => void) | undefined;
  #end: EndOfTerm | undefined;
  /** A removal waits that shall not wait for another write. */
  #isUrgent = false;
  /** The removals in the write that is under way. */
  #beingWritten: readonly Closing[] = [];
  readonly #whenIdle: (() => void)[] = [];
  /** Aborts the write that is under way. */
  readonly #stopping = new AbortController();

  constructor(options: TermOptions) {
    this.#options = options;
    ({
      contents: this.#contents,
      version: this.#version,
      recordVersion: this.#recordVersion,
    } = options.taken);
  }

  /** The journal as this process last wrote it. */
  get contents(): Contents {
    return this.#contents;
  }

  /** Set if the journal was missing or put back when it was taken over (`Taken.lacksEntriesBefore`). */
  get lacksEntriesBefore(): number | undefined {
    return this.#options.taken.lacksEntriesBefore;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Whether an entry is to be removed, and the write of that has not ended. */
  isLeaving(key: string, id: string): boolean {
    const isSame = (closing: Closing): boolean =>
      closing.id === id && entryKey(closing.section, closing.owner) === key;
    return [this.#closings, this.#beingWritten, this.#deferred].some((removals) => removals.some(isSame));
  }

  /** Settles once the entry is written, or has to wait. Rejects with a `TermOver`, or with what kept this entry out. */
  open(opening: Omit<Opening, 'settle'>): Promise<OpeningResult> {
    return new Promise((resolve, reject) => {
      entryKey(opening.section, opening.owner);
      if (this.#end) throw new TermOver(this.#end);
      this.#openings.push({ ...opening, settle: { resolve, reject } });
      this.#begin();
    });
  }

  /** Settles once it is written. Rejects with a `TermOver`, or with a `JournalRefused`. */
  close(closing: Omit<Closing, 'settle'>): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#end) throw new TermOver(this.#end);
      entryKey(closing.section, closing.owner);
      this.#closings.push({ ...closing, settle: { resolve, reject } });
      this.#begin();
    });
  }

  /** Removes with the next write, or by itself when no other comes. Nothing happens if the term is over. */
  closeLater(closing: Omit<Closing, 'settle'>, isUrgent: boolean): void {
    if (this.#end) return;
    entryKey(closing.section, closing.owner);
    this.#closings.push(closing);
    if (!isUrgent) return this.#flushIn(FLUSH_MS);
    this.#isUrgent = true;
    this.#begin();
  }

  /** Writes what waits, if anything does. Resolves when nothing is under way any more. */
  async flush(): Promise<void> {
    this.#closings.push(...this.#deferred.splice(0));
    while (!this.#end && (this.#isWriting || this.#closings.length + this.#openings.length > 0)) {
      if (this.#isWriting) await this.#idle();
      else await this.#write();
    }
  }

  /** Ends the term. What waits is rejected; a write under way is aborted, and its outcome stays unknown. */
  end(end: EndOfTerm): void {
    if (this.#end) return;
    this.#end = end;
    this.#cancelFlush?.();
    this.#cancelRetry?.();
    this.#stopping.abort(new TermOver(end));
    const waiting = [...this.#openings, ...this.#closings];
    this.#openings = [];
    this.#closings = [];
    for (const { settle } of waiting) settle?.reject(new TermOver(end));
    this.#options.on.ended(end);
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #flushIn(ms: number): void {
    this.#cancelFlush ??= this.#options.clock.timer(ms, () => {
      this.#cancelFlush = undefined;
      this.#begin();
    });
  }

  #begin(): void {
    if (!this.#isWriting) void this.#write();
  }

  /** Writes until nobody waits for a write any more. Removals that came late wait again. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    // All who come in the same turn go together.
    await Promise.resolve();
    do await this.#commit();
    while (!this.#end && this.#isAwaited());
    this.#isWriting = false;
    for (const wake of this.#whenIdle.splice(0)) wake();
  }

  #isAwaited(): boolean {
    return this.#isUrgent || this.#openings.length > 0 || this.#closings.some(({ settle }) => settle);
  }

  /** One write with all that waits. */
  async #commit(): Promise<void> {
    const { clock, leads, highest, bounds } = this.#options;
    if (this.#end) return;
    if (!leads()) return this.end('lease');
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const since: Moment = { wall: clock.now(), monotonic: clock.monotonic() };
    const waiting = { openings: this.#openings, closings: this.#closings };
    this.#openings = [];
    this.#closings = [];
    this.#isUrgent = false;
    const draft = draftOf(this.#contents, waiting, since, bounds);
    // Until the outcome is known, without a gap: whoever looks in between must not decide on what leaves.
    this.#beingWritten = draft.closed;
    for (const parked of draft.parked) {
      this.#options.on.parked(parked);
      parked.opening.settle.resolve({ is: 'parked', obstacle: parked.obstacle });
    }
    for (const { opening, error } of draft.failed) opening.settle.reject(error);
    if (!(await this.#keepRecords(draft))) return;
    const isNeeded = draft.contents.changesSince(this.#contents).size > 0;
    if (isNeeded) highest.writeTo(draft.contents);
    const outcome = isNeeded ? await this.#store(draft) : undefined;
    this.#beingWritten = [];
    if (outcome && !this.#settle(draft, outcome)) return;
    for (const { opening, result } of draft.opened) opening.settle.resolve(result);
    for (const { settle } of draft.closed) settle?.resolve();
    if (draft.removed.length > 0) this.#options.on.removed(draft.removed);
  }

  /**
   * Writes the records of a draft, before what they are about leaves the journal. Resolves with whether the draft can go on. What has
   * a refused record stays out, and the others come with the next write.
   */
  async #keepRecords(draft: Draft): Promise<boolean> {
    const { contents } = draft;
    const changes = contents.recordChangesSince(this.#contents);
    if (changes.size === 0) return true;
    const outcome = await this.#writeRecords(contents, changes);
    this.#options.on.outcome(outcome.is, 0);
    if (outcome.is === 'written') {
      this.#recordVersion = outcome.version;
      this.#contents = this.#contents.withRecordsOf(contents);
      if (!this.#end && this.#options.leads()) return true;
    }
    this.#beingWritten = [];
    const openings = draft.opened.map(({ opening }) => opening);
    if (outcome.is === 'refused' && !this.#end) {
      const error = new JournalRefused(outcome.error);
      const hasRecords = ({ records }: Opening | Closing): boolean => (records?.length ?? 0) > 0;
      for (const each of [...openings, ...draft.closed]) if (hasRecords(each)) each.settle?.reject(error);
      this.#openings.unshift(...openings.filter((each) => !hasRecords(each)));
      this.#closings.unshift(...draft.closed.filter((each) => !hasRecords(each)));
      this.#defer(draft.closed.filter((each) => hasRecords(each) && !each.settle));
      if (this.#closings.length > 0) this.#flushIn(FLUSH_MS);
      return false;
    }
    const end = this.#end ?? endAfter(outcome);
    for (const { settle } of [...openings, ...draft.closed]) settle?.reject(new TermOver(end));
    this.end(end);
    return false;
  }

  #defer(removals: readonly Closing[]): void {
    if (removals.length === 0) return;
    this.#deferred.push(...removals);
    this.#cancelRetry ??= this.#options.clock.timer(RETRY_FLUSH_MS, () => {
      this.#cancelRetry = undefined;
      this.#closings.push(...this.#deferred.splice(0));
      this.#begin();
    });
  }

  async #writeRecords(contents: Contents, changes: Changes): Promise<Outcome> {
    const { records, leads } = this.#options;
    const { signal } = this.#stopping;
    const make = (): Promise<Outcome> => records.create(contents.recordData, signal);
    if (this.#recordVersion === undefined) return make();
    const outcome = await records.write(this.#recordVersion, changes, signal);
    // F11: who led throughout has all that stood in it.
    return outcome.is === 'missing' && leads() ? make() : outcome;
  }

  async #store(draft: Draft): Promise<Outcome> {
    const { store, leads, versions, on } = this.#options;
    const { signal } = this.#stopping;
    versions.sent(draft.contents.data);
    let outcome = await store.write(this.#version, draft.contents.changesSince(this.#contents), signal);
    // F11: who led throughout has all that stood in it.
    if (outcome.is === 'missing' && leads()) outcome = await store.create(draft.contents.data, signal);
    on.outcome(outcome.is, draft.opened.length + draft.closed.length);
    return outcome;
  }

  /** Whether the draft was stored. Otherwise those who wait for it are told. */
  #settle(draft: Draft, outcome: Outcome): boolean {
    const { versions, leads } = this.#options;
    if (outcome.is === 'written') {
      versions.confirmed(draft.contents.data);
      this.#contents = draft.contents;
      this.#version = outcome.version;
      // F3: the answer may have come after the Lease was lost; then what is in the journal is for the next leader.
      if (!this.#end && leads()) return true;
    }
    const settles = [...draft.opened.map(({ opening }) => opening), ...draft.closed].map(
      ({ settle }) => settle,
    );
    if (outcome.is === 'refused') {
      versions.confirmed(this.#contents.data);
      for (const settle of settles) settle?.reject(new JournalRefused(outcome.error));
      if (this.#end) return false;
      this.#closings.unshift(...draft.closed.filter(({ settle }) => !settle));
      if (this.#closings.length > 0) this.#flushIn(RETRY_FLUSH_MS);
      return false;
    }
    const end = this.#end ?? endAfter(outcome);
    for (const settle of settles) settle?.reject(new TermOver(end));
    this.end(end);
    return false;
  }
}

function endAfter({ is }: Outcome): EndOfTerm {
  if (is === 'changed') return 'changed';
  return is === 'unknown' ? 'unknown' : 'lease';
}
