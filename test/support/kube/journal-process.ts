import { expect } from 'vitest';
import { z } from 'zod';
import { BOUNDS, type Bounds } from '../../../src/journal/bounds.ts';
import { Contents } from '../../../src/journal/contents.ts';
import { HighestIds } from '../../../src/journal/highest-ids.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { OwnVersions } from '../../../src/journal/put-back.ts';
import { type Codec, type Codecs, type EntryView, type Section, View } from '../../../src/journal/section.ts';
import { JournalStore } from '../../../src/journal/store.ts';
import { Term } from '../../../src/journal/term.ts';
import type { LeaseHistory } from '../../../src/kube/lease.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { settle, VirtualClock } from '../virtual-clock.ts';
import { JOURNAL, JournalApi, RECORDS, type Traffic } from './journal-api.ts';

/** What the tests keep in an entry and a record. */
export interface Note {
  text: string;
  afterId?: number;
}

/** W + T + X in the tests, in milliseconds. */
export const QUIET_MS = 45_000;

export const journalObject = {
  namespace: 'operator',
  name: JOURNAL,
  recordsName: RECORDS,
  labels: { journal: 'true' },
  type: 'example.org/journal',
};

const schema = z.object({ text: z.string(), afterId: z.number().exactOptional() });
export const noteCodec: Codec<Note> = (value) => {
  const result = schema.safeParse(value);
  return result.success ? result.data : undefined;
};

export interface ProcessOptions {
  api?: JournalApi;
  clock?: VirtualClock;
  holder?: string;
  lease?: LeaseHistory;
  bounds?: Partial<Bounds>;
  isFirstUse?: boolean;
  /** The process has died: it hears nothing and does nothing any more. */
  isDead?: () => boolean;
}

/** One process with a journal, which leads until the test says otherwise. */
export class JournalProcess {
  readonly api: JournalApi;
  readonly clock: VirtualClock;
  readonly journal: Journal;
  readonly section: Section<Note, Note>;
  /** The owners that were woken, in order. */
  readonly woken: string[] = [];
  /** The owners of entries that are gone, in order. */
  readonly removed: string[] = [];
  onWake: (uid: string) => void = () => undefined;
  readonly traffic: Traffic = { underWay: 0, most: 0 };
  /** Runs in `prepare`, after the takeover's write. */
  prepare: () => Promise<void> = () => Promise.resolve();
  prepared = 0;
  leads = true;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: ProcessOptions = {}) {
    const {
      api = new JournalApi(),
      clock = new VirtualClock(),
      holder = 'us',
      isDead = () => false,
    } = options;
    this.api = api;
    this.clock = clock;
    this.journal = new Journal({
      client: api.client(isDead, this.traffic),
      object: journalObject,
      clock,
      log: silentLog,
      holder,
      leads: () => this.leads && !isDead(),
      lease: () => options.lease,
      quietMs: QUIET_MS,
      isFirstUse: () => Promise.resolve(options.isFirstUse ?? true),
      ...(options.bounds ? { bounds: options.bounds } : {}),
    });
    this.section = this.journal.section({
      name: 'notes',
      entry: noteCodec,
      record: noteCodec,
      wake: (uid) => {
        this.woken.push(uid);
        this.onWake(uid);
      },
      removed: (owner) => this.removed.push(owner),
    });
  }

  /** Begins to lead. */
  start(): this {
    this.#running = this.journal.run(async () => {
      this.prepared += 1;
      await this.prepare();
    }, this.#stop.signal);
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  get view(): View<Note, Note> {
    const { view } = this.section;
    if (!view) return expect.unreachable('The journal is not ready');
    return view;
  }

  /** Asks for an entry in a group of its own. */
  open(uid: string, wish: { group?: string; request?: string; replaces?: string; text?: string } = {}) {
    const { group = uid, text = `about ${uid}`, ...rest } = wish;
    return this.view.open({ owner: uid, group, ...rest, make: () => ({ text }) });
  }

  /** Opens an entry; returns its id. */
  async opened(uid: string, wish: Parameters<JournalProcess['open']>[1] = {}): Promise<string> {
    const result = await this.open(uid, wish);
    return result.is === 'open' ? result.id : expect.unreachable(`${uid} has to wait`);
  }

  /** The entries that this process sees, by uid. */
  get entries(): Record<string, EntryView<Note>> {
    return Object.fromEntries(this.view.entries());
  }

  /** The entries that the API server has, by uid. */
  get stored(): string[] {
    return this.api.entryKeys.map((key) => key.slice('notes.entry.'.length)).toSorted();
  }
}

/** A term over a journal with these texts, by key, as the code of a CA sees it. */
export function viewOf<Entry, Record>(
  codecs: Codecs<Entry, Record>,
  api: JournalApi,
  {
    clock,
    leads,
    texts = {},
    refused = () => undefined,
    lacksEntriesBefore,
  }: {
    clock: Clock;
    leads: () => boolean;
    texts?: Readonly<{ [key: string]: string }>;
    /** What is woken when the term is over. */
    refused?: (owner: string) => void;
    /** The journal was missing or put back. */
    lacksEntriesBefore?: number | undefined;
  },
): View<Entry, Record> {
  const { namespace, name, type } = journalObject;
  api.putBack({ metadata: { namespace, name }, type, data: {} });
  api.change(texts);
  const term = new Term({
    store: new JournalStore(api.client(), journalObject),
    records: JournalStore.ofRecords(api.client(), journalObject),
    clock,
    leads,
    highest: new HighestIds(BOUNDS.highestIds),
    versions: new OwnVersions(),
    bounds: BOUNDS,
    taken: {
      contents: Contents.of(new Map(Object.entries(texts))),
      version: api.secret?.metadata.resourceVersion ?? '',
      recordVersion: undefined,
      lacksEntriesBefore,
    },
    on: {
      parked: () => undefined,
      removed: () => undefined,
      outcome: () => undefined,
      ended: () => undefined,
    },
  });
  return new View(codecs, { term, bounds: BOUNDS, isAwaited: () => false, refused });
}

/** A process whose journal is ready. */
export async function ready(options: ProcessOptions = {}): Promise<JournalProcess> {
  const process = new JournalProcess(options).start();
  await settle();
  return process;
}

/** The error of a promise that must reject. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('Expected a rejection'),
    (error: unknown) => error,
  );
}
