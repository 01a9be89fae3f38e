import { type EntryText, isEntryKey, isRecordKey, read, type RecordText } from './layout.ts';
import type { Changes, Data } from './store.ts';

/**
 * One version of the journal in memory. Records stand in an object of their own: each write of the journal is a whole new version
 * of it for etcd, and records only grow.
 */
export class Contents {
  readonly #data: Map<string, string>;
  readonly #recordData: Map<string, string>;
  readonly #entries: Map<string, EntryText | undefined>;
  readonly #records: Map<string, RecordText | undefined>;
  #entryBytes = 0;
  #recordBytes = 0;

  private constructor(
    data: ReadonlyMap<string, string>,
    recordData: ReadonlyMap<string, string>,
    entries: ReadonlyMap<string, EntryText | undefined>,
    records: ReadonlyMap<string, RecordText | undefined>,
  ) {
    this.#data = new Map(data);
    this.#recordData = new Map(recordData);
    this.#entries = new Map(entries);
    this.#records = new Map(records);
  }

  /** `data` of the journal itself, and of its records. */
  static of(data: Data, recordData: Data = new Map()): Contents {
    const contents = new Contents(new Map(), new Map(), new Map(), new Map());
    for (const [key, text] of data) if (!isRecordKey(key)) contents.set(key, text);
    for (const [key, text] of recordData) if (isRecordKey(key)) contents.set(key, text);
    return contents;
  }

  /** What stands in the journal itself. */
  get data(): Data {
    return this.#data;
  }

  /** What stands in the object of its records. */
  get recordData(): Data {
    return this.#recordData;
  }

  /** All entries by key; undefined for one that cannot be read, which is taken all the same. */
  get entries(): ReadonlyMap<string, EntryText | undefined> {
    return this.#entries;
  }

  /** All records by key; undefined for one that cannot be read. */
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
    const copy = new Contents(this.#data, this.#recordData, this.#entries, this.#records);
    copy.#entryBytes = this.#entryBytes;
    copy.#recordBytes = this.#recordBytes;
    return copy;
  }

  /** What has to be written into the journal itself to get from `earlier` to this. */
  changesSince(earlier: Contents): Changes {
    return changesBetween(earlier.#data, this.#data);
  }

  /** The same for the object of its records. */
  recordChangesSince(earlier: Contents): Changes {
    return changesBetween(earlier.#recordData, this.#recordData);
  }

  /** This with the records of another version. */
  withRecordsOf(other: Contents): Contents {
    return Contents.of(this.#data, other.#recordData);
  }

  /** Sets or, with undefined, removes what stands under a key. */
  set(key: string, text: string | undefined): void {
    const data = isRecordKey(key) ? this.#recordData : this.#data;
    const before = data.get(key);
    const grown =
      (text === undefined ? 0 : bytesOf(key, text)) - (before === undefined ? 0 : bytesOf(key, before));
    if (text === undefined) data.delete(key);
    else data.set(key, text);
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

function changesBetween(earlier: Data, now: Data): Changes {
  const changes = new Map<string, string | undefined>();
  for (const [key, text] of now) if (earlier.get(key) !== text) changes.set(key, text);
  for (const key of earlier.keys()) if (!now.has(key)) changes.set(key, undefined);
  return changes;
}

/** Bytes that a key and its text take in the object. */
export function bytesOf(key: string, text: string): number {
  return key.length + Buffer.byteLength(text);
}
