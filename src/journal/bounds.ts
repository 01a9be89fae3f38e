import type { Contents } from './contents.ts';
import { bytesOf } from './contents.ts';

/** How large the journal and its records may grow (F14). The API server takes at most 1 MiB in a Secret. */
export interface Bounds {
  /** Open entries of one group, so that one CA that does not answer leaves room for the others. */
  groupEntries: number;
  /** Bytes of one entry with its key, so that none makes the write of a whole group fail. */
  entryBytes: number;
  /** Bytes of all entries. */
  allEntryBytes: number;
  /** Records of one group. The oldest goes for a new one. Beyond the bytes of all, the largest group gives way. */
  groupRecords: number;
  /** Bytes of one record with its key, and of all. */
  recordBytes: number;
  allRecordBytes: number;
  /** How many highest ids are kept. */
  highestIds: number;
}

/** 128 + 512 KiB at most, and the names of the leader; and 256 KiB of records. */
export const BOUNDS: Bounds = {
  groupEntries: 128,
  entryBytes: 1024,
  allEntryBytes: 512 * 1024,
  groupRecords: 1000,
  recordBytes: 768,
  allRecordBytes: 256 * 1024,
  highestIds: 2000,
};

/** Why an entry has to wait: another one has its request, its group has no room, or the journal has none. */
export type Obstacle = 'request' | 'group' | 'size';

/** What an entry needs room for. */
export interface Need {
  key: string;
  /** Undefined for an entry that cannot be read. */
  group: string | undefined;
  request: string | undefined;
  /** The most that it can take. */
  bytes: number;
}

/** What a version of the journal has room for, counted once for many entries. */
export class Room {
  readonly #bounds: Bounds;
  readonly #taken = new Map<string, Omit<Need, 'key'>>();
  readonly #groups = new Map<string, number>();
  readonly #requests = new Map<string, Set<string>>();
  #bytes = 0;

  constructor({ entries, data }: Contents, bounds: Bounds) {
    this.#bounds = bounds;
    for (const [key, entry] of entries) {
      const bytes = bytesOf(key, data.get(key) ?? '');
      this.take({ key, group: entry?.group, request: entry?.request, bytes });
    }
  }

  /**
   * What keeps an entry out; undefined if it fits. An entry under the same key makes room for it, whatever their sizes: what goes on
   * must not wait.
   */
  obstacleFor({ key, group, request, bytes }: Need): Obstacle | undefined {
    const own = this.#taken.get(key);
    const holders = request === undefined ? undefined : this.#requests.get(request);
    if (holders && [...holders].some((holder) => holder !== key)) return 'request';
    const peers = group === undefined ? 0 : (this.#groups.get(group) ?? 0) - (own?.group === group ? 1 : 0);
    if (peers >= this.#bounds.groupEntries) return 'group';
    return !own && this.#bytes + bytes > this.#bounds.allEntryBytes ? 'size' : undefined;
  }

  /** Counts an entry, in place of the one under the same key. */
  take({ key, group, request, bytes }: Need): void {
    const own = this.#taken.get(key);
    if (own) this.#free(key, own);
    this.#taken.set(key, { group, request, bytes });
    this.#bytes += bytes;
    if (group !== undefined) this.#groups.set(group, (this.#groups.get(group) ?? 0) + 1);
    if (request === undefined) return;
    const holders = this.#requests.get(request) ?? new Set();
    this.#requests.set(request, holders.add(key));
  }

  #free(key: string, { group, request, bytes }: Omit<Need, 'key'>): void {
    this.#bytes -= bytes;
    if (group !== undefined) this.#groups.set(group, (this.#groups.get(group) ?? 0) - 1);
    if (request !== undefined) this.#requests.get(request)?.delete(key);
  }
}

/**
 * The keys of the records that go, so that `key` with `text` fits: the oldest of its group, then the oldest of the group that
 * has most, so that nobody's records push out those of others.
 */
export function recordsToDrop(
  { records, recordBytes, recordData }: Contents,
  { key, text, group }: { key: string; text: string; group: string },
  bounds: Bounds,
): string[] {
  const others = [...records].filter(([other]) => other !== key);
  const byAge = others.toSorted(([, a], [, b]) => (a?.at ?? 0) - (b?.at ?? 0));
  const peers = byAge.filter(([, record]) => record?.group === group);
  const drop = new Set(
    peers.slice(0, Math.max(0, peers.length + 1 - bounds.groupRecords)).map(([other]) => other),
  );
  const sizeOf = (other: string): number => bytesOf(other, recordData.get(other) ?? '');
  let bytes = recordBytes - (recordData.has(key) ? sizeOf(key) : 0) + bytesOf(key, text);
  for (const other of drop) bytes -= sizeOf(other);
  if (bytes <= bounds.allRecordBytes) return [...drop];
  const groups = new Map([[group, { count: 1, keys: [] as string[] }]]);
  for (const [other, record] of byAge) {
    if (drop.has(other)) continue;
    const peer = groups.get(record?.group ?? '') ?? { count: 0, keys: [] };
    groups.set(record?.group ?? '', peer);
    peer.count += 1;
    peer.keys.push(other);
  }
  while (bytes > bounds.allRecordBytes) {
    const candidates = [...groups.values()].filter(({ keys }) => keys.length > 0);
    const largest = candidates.sort((a, b) => b.count - a.count)[0];
    const other = largest?.keys.shift();
    if (!largest || other === undefined) break;
    largest.count -= 1;
    drop.add(other);
    bytes -= sizeOf(other);
  }
  return [...drop];
}
