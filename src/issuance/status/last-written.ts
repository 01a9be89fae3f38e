import type { Clock } from '../../lib/clock.ts';

/** How long the last write is preferred to an older version from the watch: longer than any watch is behind. */
export const LAST_WRITTEN_KEEP_MS = 600_000;

interface Versioned {
  metadata: { resourceVersion?: string };
}

interface Written<T> {
  object: T;
  /** Resource versions that this one replaced; '' stands for an object that did not exist. */
  superseded: Set<string>;
  /** It holds what somebody else wrote and the watch has not told of yet. */
  hasNews: boolean;
  forgetAt: number;
}

/**
 * What this process wrote or read live last, until its watch catches up (`ownWrites`, `liveFloor`). A purchase is decided by it, and
 * no write of the object itself comes before that, so a decision on an older version could buy twice. A version is older if this
 * process replaced it, or if its number is lower: since Kubernetes 1.35 resource versions may be compared as numbers
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions), and those of etcd always were.
 */
export class LastWritten<T extends Versioned> {
  readonly #written = new Map<string, Written<T>>();
  readonly #clock: Clock;
  readonly #keepMs: number;

  /** `keepMs`: when to trust the watch anyway, as after etcd was put back to lower versions; `LAST_WRITTEN_KEEP_MS` unless given. */
  constructor(options: { clock: Clock; keepMs?: number }) {
    this.#clock = options.clock;
    this.#keepMs = options.keepMs ?? LAST_WRITTEN_KEEP_MS;
  }

  /** Notes that `object` replaced the version `previous`; undefined means that it was created. */
  note(key: string, previous: string | undefined, object: T): void {
    this.#note(key, previous, object, false);
  }

  /** Notes that a live read found `object` after the version `previous`: what somebody else wrote is in it. */
  noteLive(key: string, previous: string | undefined, object: T): void {
    this.#note(key, previous, object, true);
  }

  #note(key: string, previous: string | undefined, object: T, isForeign: boolean): void {
    const { superseded = new Set<string>(), hasNews = false } = this.#written.get(key) ?? {};
    superseded.add(previous ?? '');
    const now = this.#clock.monotonic();
    this.#written.delete(key);
    this.#written.set(key, {
      object,
      superseded,
      hasNews: hasNews || isForeign,
      forgetAt: now + this.#keepMs,
    });
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
    if (isOlder(written, cached) && this.#clock.monotonic() < written.forgetAt) return written.object;
    this.#written.delete(key);
    return cached;
  }

  /**
   * Takes what the watch delivered, and returns whether it is only an echo of what this process wrote or has already
   * replaced. The echo of the last write ends the need to remember it. What somebody else wrote in between is news once.
   */
  observe(key: string, seen: T): 'echo' | 'news' {
    const written = this.#written.get(key);
    const version = seen.metadata.resourceVersion ?? '';
    if (!written) return 'news';
    const isNews = written.hasNews;
    written.hasNews = false;
    if (isOlder(written, seen)) return isNews ? 'news' : 'echo';
    this.#written.delete(key);
    return written.object.metadata.resourceVersion === version && !isNews ? 'echo' : 'news';
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

function isOlder({ object, superseded }: Written<Versioned>, seen: Versioned | undefined): boolean {
  const version = seen?.metadata.resourceVersion ?? '';
  if (superseded.has(version)) return true;
  const written = object.metadata.resourceVersion ?? '';
  return NUMBER.test(version) && NUMBER.test(written) && BigInt(version) < BigInt(written);
}

const NUMBER = /^[0-9]{1,20}$/;
