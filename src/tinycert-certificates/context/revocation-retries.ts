import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';

/** After a hold or revocation that failed for a reason of its own: 5 s doubling to 10 min. */
export const REVOCATION_RETRY: BackoffOptions = { base: 5_000, max: 600_000, jitter: 0.2 };

interface Note {
  failures: number;
  /** Monotonic milliseconds. */
  retryAt: number;
  /** Monotonic milliseconds; undefined while the CA can be asked. */
  withoutAccessSince?: number;
  /** The outcomes of what has been done for a resource whose other holds or revocations are still due. */
  done?: Map<string, string>;
}

/** What this process knows of holds and revocations that are due and could not be done, by uid. All of it may be lost. */
export class RevocationRetries {
  readonly #notes = new Map<string, Note>();

  /** Counts a failure; returns the milliseconds until the next try. */
  failed(uid: string, monotonic: number): number {
    const note = this.#note(uid);
    note.failures += 1;
    const delay = backoffDelay(REVOCATION_RETRY, note.failures);
    note.retryAt = monotonic + delay;
    return delay;
  }

  /** The milliseconds until the next try; 0 if it may be made now. */
  waits(uid: string, monotonic: number): number {
    return Math.max(0, (this.#notes.get(uid)?.retryAt ?? 0) - monotonic);
  }

  /** For how many milliseconds no issuer or session has been able to ask the CA. The first call starts the count. */
  withoutAccess(uid: string, monotonic: number): number {
    const note = this.#note(uid);
    note.withoutAccessSince ??= monotonic;
    return monotonic - note.withoutAccessSince;
  }

  /** The CA can be asked again. */
  accessRestored(uid: string): void {
    const note = this.#notes.get(uid);
    if (note) delete note.withoutAccessSince;
  }

  /**
   * Notes what became of a hold or revocation, so that it is not asked for again while others of the resource fail. `what`: which
   * certificate, and the status that it was to get.
   */
  did(uid: string, what: string, outcome: string): void {
    const note = this.#note(uid);
    note.done = new Map(note.done).set(what, outcome);
  }

  /** The outcome of a hold or revocation that has been done for a resource. */
  outcomeOf(uid: string, what: string): string | undefined {
    return this.#notes.get(uid)?.done?.get(what);
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
