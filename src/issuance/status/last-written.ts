import type { Clock } from '../../lib/clock.ts';

/** How long the last write is preferred to an older version from the watch. */
export const LAST_WRITTEN_KEEP_MS = 30_000;

interface Versioned {
  metadata: { resourceVersion?: string };
}

interface Written<T> {
  object: T;
  /** Resource versions that this one replaced; '' stands for an object that did not exist. */
  superseded: Set<string>;
  forgetAt: number;
}

/**
 * What this process wrote last, until its watch catches up. A decision on old data does no harm: every write carries the
 * version it replaces, and the API server refuses it. This only saves the conflict. Versions are opaque: one is older only
 * if this process replaced it.
 */
export class LastWritten<T extends Versioned> {
  readonly #written = new Map<string, Written<T>>();
  readonly #clock: Clock;
  readonly #keepMs: number;

  /** `keepMs`: when to trust the watch anyway, since a relist can skip the awaited version; `LAST_WRITTEN_KEEP_MS` unless given. */
  constructor(options: { clock: Clock; keepMs?: number }) {
    this.#clock = options.clock;
    this.#keepMs = options.keepMs ?? LAST_WRITTEN_KEEP_MS;
  }

  /** Notes that `object` replaced the version `previous`; undefined means that it was created. */
  note(key: string, previous: string | undefined, object: T): void {
    const superseded = this.#written.get(key)?.superseded ?? new Set<string>();
    superseded.add(previous ?? '');
    const now = this.#clock.monotonic();
    this.#written.delete(key);
    this.#written.set(key, { object, superseded, forgetAt: now + this.#keepMs });
    // What the watch never shows ends too. A map iterates in the order of insertion, so the oldest comes first.
    for (const [other, { forgetAt }] of this.#written) {
      if (forgetAt > now) break;
      this.#written.delete(other);
    }
  }

  /** The newer of the cached and the written object. */
  newest(key: string, cached: T | undefined): T | undefined {
    const written = this.#written.get(key);
    if (!written) return cached;
    const isOlder = written.superseded.has(cached?.metadata.resourceVersion ?? '');
    if (isOlder && this.#clock.monotonic() < written.forgetAt) return written.object;
    this.#written.delete(key);
    return cached;
  }

  /**
   * Takes what the watch delivered, and returns whether it is only an echo of what this process wrote or has already
   * replaced. The echo of the last write ends the need to remember it.
   */
  observe(key: string, seen: T): 'echo' | 'news' {
    const written = this.#written.get(key);
    const version = seen.metadata.resourceVersion ?? '';
    if (!written) return 'news';
    if (written.superseded.has(version)) return 'echo';
    this.#written.delete(key);
    return written.object.metadata.resourceVersion === version ? 'echo' : 'news';
  }

  /** The written objects that the watch has not delivered yet. */
  *values(): IterableIterator<T> {
    for (const { object } of this.#written.values()) yield object;
  }

  /** Forgets a deleted object. */
  forget(key: string): void {
    this.#written.delete(key);
  }

  get size(): number {
    return this.#written.size;
  }
}
