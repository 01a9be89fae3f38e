import type { Clock } from '../../lib/clock.ts';

interface Versioned {
  metadata: { resourceVersion?: string };
}

interface Written<T> {
  object: T;
  /** Resource versions that this one replaced; '' stands for "not there". */
  superseded: Set<string>;
  forgetAt: number;
}

/**
 * What this process wrote last, for as long as its watch has not caught up. Every write carries the version it replaces,
 * so that a decision on old data would be refused and cost only the conflict; this saves the conflict. Versions are
 * opaque: one is older only if it is known to have been replaced here.
 */
export class LastWritten<T extends Versioned> {
  readonly #written = new Map<string, Written<T>>();
  readonly #clock: Clock;
  readonly #keepMs: number;

  /** `keepMs`: when to believe the watch even so; a relist can jump over the version that is waited for. */
  constructor(options: { clock: Clock; keepMs?: number }) {
    this.#clock = options.clock;
    this.#keepMs = options.keepMs ?? 30_000;
  }

  /** Notes that `object` replaced `previous` (undefined: it was created). */
  note(key: string, previous: string | undefined, object: T): void {
    const superseded = this.#written.get(key)?.superseded ?? new Set<string>();
    superseded.add(previous ?? '');
    this.#written.set(key, { object, superseded, forgetAt: this.#clock.monotonic() + this.#keepMs });
  }

  /** The newer of what is cached and what was written. */
  newest(key: string, cached: T | undefined): T | undefined {
    const written = this.#written.get(key);
    if (!written) return cached;
    const isOlder = written.superseded.has(cached?.metadata.resourceVersion ?? '');
    if (isOlder && this.#clock.monotonic() < written.forgetAt) return written.object;
    this.#written.delete(key);
    return cached;
  }

  /**
   * Takes note of what the watch says, and tells whether it is only an echo: what this process wrote itself or has
   * already replaced. The echo of the last write ends the need to remember it.
   */
  observe(key: string, seen: T): 'echo' | 'news' {
    const written = this.#written.get(key);
    const version = seen.metadata.resourceVersion ?? '';
    if (!written) return 'news';
    if (written.superseded.has(version)) return 'echo';
    this.#written.delete(key);
    return written.object.metadata.resourceVersion === version ? 'echo' : 'news';
  }

  /** What was written and has not been seen through the watch. */
  *values(): IterableIterator<T> {
    for (const { object } of this.#written.values()) yield object;
  }

  /** Forgets an object that is gone. */
  forget(key: string): void {
    this.#written.delete(key);
  }

  get size(): number {
    return this.#written.size;
  }
}
