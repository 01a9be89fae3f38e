import { type EntryText, isEntryKey, isRecordKey, read, type RecordText } from './layout.ts';
import type { Changes, Data } from './store.ts';

/** One version of the journal in memory. */
export class Contents {
  readonly #data: Map<string, string>;
  readonly #entries: Map<string, EntryText | undefined>;
  readonly #records: Map<string, RecordText | undefined>;
  #entryBytes = 0;
  #recordBytes = 0;

  private constructor(
    data: ReadonlyMap<string, string>,
    entries: ReadonlyMap<string, EntryText | undefined>,
    records: ReadonlyMap<string, RecordText | undefined>,
  ) {
    this.#data = new Map(data);
    this.#entries = new Map(entries);
    this.#records = new Map(records);
  }

  static of(data: Data): Contents {
    const contents = new Contents(new Map(), new Map(), new Map());
    for (const [key, text] of data) contents.set(key, text);
    return contents;
  }

  get data(): Data {
    return this.#data;
  }

  /** All entries by key; undefined for one that cannot be read, which is taken all the same. */
  get entries(): ReadonlyMap<string, EntryText | undefined> {
    return this.#entries;
  }

  /** All records by key, the earliest written first; undefined for one that cannot be read. */
  get records(): ReadonlyMap<string, RecordText | undefined> {
    return this.#records;
  }

  /** Bytes of all entries, with their keys. */
  get entryBytes(): number {
    return this.#entryBytes;
  }

  get recordBytes(): number {
    return this.#recordBytes;
  }

  copy(): Contents {
    const copy = new Contents(this.#data, this.#entries, this.#records);
    copy.#entryBytes = this.#entryBytes;
    copy.#recordBytes = this.#recordBytes;
    return copy;
  }

  /** What has to be written to get from `earlier` to this. */
  changesSince(earlier: Contents): Changes {
    const changes = new Map<string, string | undefined>();
    for (const [key, text] of this.#data) if (earlier.#data.get(key) !== text) changes.set(key, text);
    for (const key of earlier.#data.keys()) if (!this.#data.has(key)) changes.set(key, undefined);
    return changes;
  }

  /** Sets or, with undefined, removes what stands under a key. */
  set(key: string, text: string | undefined): void {
    const before = this.#data.get(key);
    const grown =
      (text === undefined ? 0 : bytesOf(key, text)) - (before === undefined ? 0 : bytesOf(key, before));
    if (text === undefined) this.#data.delete(key);
    else this.#data.set(key, text);
    if (isEntryKey(key)) {
      this.#entryBytes += grown;
      if (text === undefined) this.#entries.delete(key);
      else this.#entries.set(key, read.entry(text));
    } else if (isRecordKey(key)) {
      this.#recordBytes += grown;
      this.#records.delete(key);
      if (text !== undefined) this.#records.set(key, read.record(text));
    }
  }
}

/** Bytes that a key and its text take in the object. */
export function bytesOf(key: string, text: string): number {
  return key.length + Buffer.byteLength(text);
}
