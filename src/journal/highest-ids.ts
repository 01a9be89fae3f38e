import type { Contents } from './contents.ts';
import { highestKey, isHighestKey, read } from './layout.ts';

/**
 * The highest ids that this process knows, by opaque names: what the journal held at a takeover, and what was seen since
 * (F7). It outlives a term, since what was seen stays seen. Ids cause no write: they go with the next one.
 */
export class HighestIds {
  readonly #limit: number;
  /** By key of the journal; the one that was raised last stands last. */
  readonly #ids = new Map<string, number>();

  /** `limit`: how many ids the journal keeps. Those raised longest ago go first: an inventory brings them back. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** 0 if none is known. */
  get(name: string): number {
    return this.#ids.get(highestKey(name)) ?? 0;
  }

  raise(name: string, id: number): void {
    if (id > this.get(name)) this.set(name, id);
  }

  /** Sets it, lower if need be. Throws a RangeError for what is no id. */
  set(name: string, id: number): void {
    if (!Number.isSafeInteger(id) || id < 0) throw new RangeError('Expected an id of a certificate');
    const key = highestKey(name);
    this.#ids.delete(key);
    this.#ids.set(key, id);
    const [oldest] = this.#ids.keys();
    if (this.#ids.size > this.#limit && oldest !== undefined) this.#ids.delete(oldest);
  }

  /** Takes up what a journal holds. */
  learn({ data }: Contents): void {
    for (const [key, text] of data) {
      const id = isHighestKey(key) ? read.highest(text) : undefined;
      if (id !== undefined && id > (this.#ids.get(key) ?? -1)) this.#ids.set(key, id);
    }
  }

  /** Brings a version of the journal up to date. */
  writeTo(contents: Contents): void {
    for (const [key, id] of this.#ids) contents.set(key, String(id));
    for (const key of contents.data.keys())
      if (isHighestKey(key) && !this.#ids.has(key)) contents.set(key, undefined);
  }
}
