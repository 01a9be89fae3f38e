import { asError } from '../lib/errors.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { JournalMetrics } from '../metrics/journal.ts';
import { BOUNDS, type Bounds, type Need } from './bounds.ts';
import type { EndOfTerm } from './errors.ts';
import { HighestIds } from './highest-ids.ts';
import { ownerOf } from './layout.ts';
import { Parking } from './parking.ts';
import { OwnVersions } from './put-back.ts';
import { type Codecs, Section, View, codecsOf } from './section.ts';
import { type JournalClient, type JournalObject, JournalStore } from './store.ts';
import { type JournalProcess, TAKEOVER_BACKOFF, takeOver } from './takeover.ts';
import { Term } from './term.ts';

export interface JournalOptions extends JournalProcess {
  client: JournalClient;
  object: JournalObject;
  metrics?: JournalMetrics;
  bounds?: Partial<Bounds>;
}

/** What a section is told. */
interface Listener {
  wake: (owner: string) => void;
  removed?: (owner: string) => void;
}

/**
 * The journal of open attempts (F1 to F14 of `test/model/rules.ts`): what is about to be asked of a CA is written here
 * first, in one object that only the operator writes, and what is remembered of it in another. It knows no CA: each has a `section` with entries and records of its own.
 *
 *     store.ts      the objects at the API server           takeover.ts   who leads reads and writes it first
 *     layout.ts     keys and texts in it                    put-back.ts   whether a backup was put back
 *     contents.ts   one version of it in memory             term.ts       one write at a time, for all who wait
 *     bounds.ts     what fits                               group.ts      what goes into one write
 *     parking.ts    what waits until it fits                section.ts    what the code of one CA sees
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #bounds: Bounds;
  readonly #store: JournalStore;
  readonly #records: JournalStore;
  readonly #highest: HighestIds;
  readonly #versions = new OwnVersions();
  readonly #parking: Parking;
  readonly #sections = new Map<string, Listener>();
  /** Resolves when the first term begins. */
  readonly started: Promise<void>;
  #begins: () => void = () => undefined;
  /** What found no journal to decide with, by section. */
  readonly #waiting = new Map<string, Set<string>>();
  #term: Term | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.started = new Promise((resolve) => (this.#begins = resolve));
    this.#bounds = { ...BOUNDS, ...options.bounds };
    this.#store = new JournalStore(options.client, options.object);
    this.#records = JournalStore.ofRecords(options.client, options.object);
    this.#highest = new HighestIds(this.#bounds.highestIds);
    this.#parking = new Parking({
      clock: options.clock,
      bounds: this.#bounds,
      contents: () => this.#term?.contents,
      wake: (section, owner) => this.#wake(section, owner),
    });
    options.metrics?.attach(() => ({
      entries: this.#term?.contents.entries.size ?? 0,
      records: this.#term?.contents.records.size ?? 0,
      waiting: this.#parking.size,
    }));
  }

  /**
   * The part of the journal that belongs to one kind of resource. `name` is in lower-case letters. `wake` has a resource
   * reconciled again, by its uid or the owner of its entry: after it had to wait, and at the start of each term if it has an entry.
   * `removed` is called when an entry is gone.
   */
  section<Entry, Record>(options: Codecs<Entry, Record> & Listener): Section<Entry, Record> {
    const { name } = options;
    if (!/^[a-z]+$/.test(name)) throw new RangeError('Expected a name in lower-case letters');
    this.#sections.set(name, options);
    const codecs = codecsOf(options);
    return new Section(() => this.#newView(codecs), {
      highest: this.#highest,
      refused: (owner) => this.#wait(name, owner),
    });
  }

  /**
   * Leads until `signal` aborts: takes the journal over, lets the caller `prepare` (list the resources, F1, and the CA, F12), and then
   * lets decisions be made; again from the start whenever the journal is found changed (F2). Before it ends it writes what
   * waits, unless `forced` aborts too, so abort only after the work has ended. Resolves after the abort.
   */
  async run(
    prepare: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
    forced?: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#lead(prepare, signal, forced);
      } catch (thrown) {
        if (!signal.aborted) throw thrown;
      }
    }
  }

  async #lead(
    prepare: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
    forced: AbortSignal | undefined,
  ): Promise<void> {
    const { clock, log, leads } = this.#options;
    const taken = await takeOver(
      {
        ...this.#options,
        store: this.#store,
        records: this.#records,
        highest: this.#highest,
        versions: this.#versions,
        onOutcome: (outcome) => this.#options.metrics?.wrote(outcome, 0),
      },
      signal,
    );
    await this.#prepared(prepare, signal);
    // F3: the list took a while.
    if (!leads()) return;
    let ended: (end: EndOfTerm) => void = () => undefined;
    const over = new Promise<EndOfTerm>((resolve) => (ended = resolve));
    const term = new Term({
      store: this.#store,
      records: this.#records,
      clock,
      leads,
      highest: this.#highest,
      versions: this.#versions,
      bounds: this.#bounds,
      taken,
      on: {
        parked: ({ opening: { section, owner }, need, obstacle }) => {
          this.#parking.add({ section, owner, need });
          // Who has the request may have no reason of its own to go on.
          if (obstacle === 'request') this.#wakeHolder(section, need);
        },
        removed: (removals) => {
          this.#parking.look();
          for (const { section, owner } of removals) this.#sections.get(section)?.removed?.(owner);
        },
        outcome: (outcome, groupSize) => this.#options.metrics?.wrote(outcome, groupSize),
        ended: (end) => {
          this.#term = undefined;
          ended(end);
        },
      },
    });
    this.#term = term;
    log.info({ entries: taken.contents.entries.size }, 'The journal is taken over');
    this.#begins();
    this.#wakeAll(term);
    const onForced = (): void => term.end('stopped');
    const onAbort = (): void => {
      if (forced?.aborted) onForced();
      else void term.flush().finally(onForced);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    forced?.addEventListener('abort', onForced, { once: true });
    if (signal.aborted) onAbort();
    const end = await over;
    signal.removeEventListener('abort', onAbort);
    forced?.removeEventListener('abort', onForced);
    if (end !== 'stopped') log.warn({ end }, 'The journal has to be taken over again');
  }

  /** Calls `prepare` until it succeeds. */
  async #prepared(prepare: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    for (let failures = 1; ; failures += 1) {
      try {
        return await prepare(signal);
      } catch (thrown) {
        signal.throwIfAborted();
        log.warn({ error: asError(thrown) }, 'Could not list what the journal is about');
        await clock.sleep(backoffDelay(TAKEOVER_BACKOFF, failures), signal);
      }
    }
  }

  #newView<Entry, Record>(codecs: Codecs<Entry, Record>): View<Entry, Record> | undefined {
    const term = this.#term;
    if (!term) return undefined;
    return new View(codecs, {
      term,
      bounds: this.#bounds,
      isAwaited: (request) =>
        request === undefined ? this.#parking.size > 0 : this.#parking.isAwaited(request),
      refused: (owner) => this.#wait(codecs.name, owner),
    });
  }

  #wait(section: string, owner: string): void {
    const owners = this.#waiting.get(section) ?? new Set();
    this.#waiting.set(section, owners.add(owner));
  }

  /** A term begins: all that waited, and all with an entry, is decided on. */
  #wakeAll(term: Term): void {
    this.#parking.look();
    for (const name of this.#sections.keys()) {
      const owners = new Set(this.#waiting.get(name));
      this.#waiting.delete(name);
      for (const key of term.contents.entries.keys()) {
        const owner = ownerOf(name, key);
        if (owner !== undefined) owners.add(owner);
      }
      for (const owner of owners) this.#wake(name, owner);
    }
  }

  #wakeHolder(section: string, { key: own, request }: Need): void {
    for (const [key, entry] of this.#term?.contents.entries ?? []) {
      const holder = ownerOf(section, key);
      if (key !== own && entry?.request === request && holder !== undefined) this.#wake(section, holder);
    }
  }

  #wake(section: string, owner: string): void {
    this.#sections.get(section)?.wake(owner);
  }
}
