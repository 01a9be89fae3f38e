import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';

/** After a hold or revocation that failed for a reason of its own: 5 s doubling to 10 min. */
const AGAIN: BackoffOptions = { base: 5_000, max: 600_000, jitter: 0.2 };

interface Note {
  failures: number;
  /** Monotonic milliseconds. */
  retryAt: number;
  lackingSince?: number;
}

/** What this process knows of promises that it could not keep yet, by uid. All of it may be lost. */
export class RevocationRetries {
  readonly #notes = new Map<string, Note>();

  /** Counts a failure; returns after how many milliseconds to try again. */
  failed(uid: string, monotonic: number): number {
    const note = this.#note(uid);
    note.failures += 1;
    const delay = backoffDelay(AGAIN, note.failures);
    note.retryAt = monotonic + delay;
    return delay;
  }

  /** How long the last failure still holds things up, in milliseconds. */
  waits(uid: string, monotonic: number): number {
    return Math.max(0, (this.#notes.get(uid)?.retryAt ?? 0) - monotonic);
  }

  /** For how long, in milliseconds, there has been nobody to ask the CA by. Counts from the first call. */
  lacking(uid: string, monotonic: number): number {
    const note = this.#note(uid);
    note.lackingSince ??= monotonic;
    return monotonic - note.lackingSince;
  }

  /** Somebody is there again. */
  found(uid: string): void {
    const note = this.#notes.get(uid);
    if (note) delete note.lackingSince;
  }

  /** All is done, or the resource is gone. */
  forget(uid: string): void {
    this.#notes.delete(uid);
  }

  get size(): number {
    return this.#notes.size;
  }

  #note(uid: string): Note {
    const note = this.#notes.get(uid) ?? { failures: 0, retryAt: 0 };
    this.#notes.set(uid, note);
    return note;
  }
}
