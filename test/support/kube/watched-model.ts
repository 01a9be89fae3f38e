import { ApiError } from '../../../src/kube/errors.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { Source, SourcePage } from '../../../src/kube/watch/reflector.ts';
import type { WatchEvent, WatchListener } from '../../../src/kube/watch/watch.ts';

/** An object of the model: `value` changes with each update. */
export interface Item extends KubeObject {
  value: number;
}

interface Change {
  readonly version: string;
  /** Absent for a change of another kind. */
  readonly event?: WatchEvent<Item>;
}

interface Watcher {
  at: number;
  readonly listener: WatchListener<Item>;
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

interface Snapshot {
  readonly items: readonly Item[];
  readonly position: number;
}

const PAGE = 2;

/**
 * The watch protocol in memory: a history with opaque versions, paged lists of one snapshot, compaction, and watchers that get
 * events only when `deliver` is called. A test can cause everything that may go wrong between it and a reflector.
 */
export class WatchedModel implements Source<Item> {
  readonly #items = new Map<string, Item>();
  readonly #history: Change[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #snapshots = new Map<string, Snapshot>();
  #compacted = 0;
  #serial = 0;
  #outage: ApiError | undefined;
  /** How many lists were started and watches opened. */
  readonly calls = { lists: 0, watches: 0 };

  /** The state of a client that saw everything. */
  get items(): ReadonlyMap<string, Item> {
    return this.#items;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Creates or changes an object. */
  put(name: string): void {
    const former = this.#items.get(name);
    const version = this.#next();
    const uid = former?.metadata.uid ?? `uid-${this.#serial}`;
    const item = { metadata: { name, uid, resourceVersion: version }, value: this.#serial };
    this.#items.set(name, item);
    this.#history.push({ version, event: { type: former ? 'MODIFIED' : 'ADDED', object: item } });
  }

  remove(name: string): void {
    const former = this.#items.get(name);
    if (!former) return;
    const version = this.#next();
    this.#items.delete(name);
    const object = { ...former, metadata: { ...former.metadata, resourceVersion: version } };
    this.#history.push({ version, event: { type: 'DELETED', object } });
  }

  /** Delivers up to `count` events to each watcher. */
  deliver(count = Infinity): void {
    for (const watcher of this.#watchers) {
      const end = Math.min(this.#history.length, watcher.at + count);
      while (watcher.at < end && this.#watchers.has(watcher)) {
        const change = this.#history[watcher.at];
        watcher.at += 1;
        if (change?.event) this.#hand(watcher, change.event);
      }
    }
  }

  bookmark(): void {
    for (const watcher of this.#watchers) {
      if (watcher.at !== this.#history.length) continue;
      this.#hand(watcher, { type: 'BOOKMARK', resourceVersion: this.#versionAt(watcher.at) });
    }
  }

  /** Compacts the history, so older versions and continue tokens get 410. A change of another kind has increased the version. */
  compact(): void {
    this.#history.push({ version: this.#next() });
    this.#compacted = this.#history.length;
    this.#snapshots.clear();
  }

  /** Ends every watch, as the server does at its timeout or when a watcher is slow. */
  endWatches(): void {
    for (const watcher of this.#take()) watcher.end();
  }

  failWatches(error: Error): void {
    for (const watcher of this.#take()) watcher.fail(error);
  }

  /** Makes every call fail; undefined ends it. */
  refuse(error: ApiError | undefined): void {
    this.#outage = error;
  }

  async list(next: string | undefined): Promise<SourcePage<Item>> {
    if (next === undefined) this.calls.lists += 1;
    await turn();
    if (this.#outage) throw this.#outage;
    const snapshot =
      next === undefined
        ? { items: [...this.#items.values()], position: this.#history.length }
        : this.#snapshots.get(next);
    if (!snapshot) throw modelError(410, 'Expired');
    const resourceVersion = this.#versionAt(snapshot.position);
    const rest = snapshot.items.slice(PAGE);
    if (rest.length === 0) return { items: snapshot.items, resourceVersion };
    const token = `page-${this.#next()}`;
    this.#snapshots.set(token, { ...snapshot, items: rest });
    return { items: snapshot.items.slice(0, PAGE), resourceVersion, continue: token };
  }

  async watch(resourceVersion: string, listener: WatchListener<Item>, signal: AbortSignal): Promise<void> {
    this.calls.watches += 1;
    await turn();
    if (this.#outage) throw this.#outage;
    const at = this.#positionOf(resourceVersion);
    if (at < this.#compacted) throw modelError(410, 'Expired');
    await new Promise<void>((resolve, reject) => {
      const watcher: Watcher = { at, listener, end: resolve, fail: reject };
      const abort = (): void => {
        this.#watchers.delete(watcher);
        reject(modelError(0, 'Aborted'));
      };
      if (signal.aborted) abort();
      else {
        this.#watchers.add(watcher);
        listener.opened();
      }
      signal.addEventListener('abort', abort);
    });
  }

  /** The watch ends when its reader throws, as in the transport. */
  #hand(watcher: Watcher, event: WatchEvent<Item>): void {
    try {
      watcher.listener.event(event);
    } catch (error) {
      this.#watchers.delete(watcher);
      watcher.fail(error as Error);
    }
  }

  #take(): Watcher[] {
    const all = [...this.#watchers];
    this.#watchers.clear();
    return all;
  }

  #next(): string {
    this.#serial += 1;
    return opaque(this.#serial);
  }

  #versionAt(position: number): string {
    return position === 0 ? 'origin' : (this.#history[position - 1]?.version ?? 'origin');
  }

  #positionOf(version: string): number {
    if (version === 'origin') return 0;
    const position = this.#history.findIndex((change) => change.version === version);
    return position < 0 ? -1 : position + 1;
  }
}

/** An error of the API server or, with status 0, of the connection to it. */
export function modelError(status: number, reason: string, verb = 'GET'): ApiError {
  return new ApiError({ status, reason, message: 'made by the model', verb, resource: 'items' });
}

/** Versions are not ascending numbers, so a reader that compares them fails. */
function opaque(serial: number): string {
  return `v${((serial * 7919) % 100_003).toString(36)}-${(serial % 7).toString()}`;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
