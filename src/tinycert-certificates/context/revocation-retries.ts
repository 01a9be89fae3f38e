import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { type CertificateRef, certificateKey } from '../../api/tinycert/identity.ts';
import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import type { SettableStatus } from '../../tinycert/index.ts';

/** After a hold or revocation that failed for a reason of its own: 5 s doubling to 10 min. */
export const REVOCATION_RETRY: BackoffOptions = { base: 5_000, max: 600_000, jitter: 0.2 };

interface Note {
  failures: number;
  /** Monotonic milliseconds. */
  retryAt: number;
  /** Monotonic milliseconds; undefined while the CA can be asked. */
  withoutAccessSince?: number;
  /** What has been done for a resource and is not in its status yet, by certificate. */
  done?: Map<string, { wanted: string; outcome: StatusAtCa }>;
}

/** A certificate and the status that it is to get. */
export interface Wanted {
  certificate: CertificateRef;
  status: SettableStatus;
}

/** The status that a certificate turned out to have; `gone` if the CA no longer has it. */
export type StatusAtCa = NonNullable<CertificateStatus['certificateStatus']> | 'gone';

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

  /** Nothing failed last: the next try need not wait. What is done stays noted until it is recorded. */
  succeeded(uid: string): void {
    const done = this.#notes.get(uid)?.done;
    if (done) this.#notes.set(uid, { failures: 0, retryAt: 0, done });
    else this.#notes.delete(uid);
  }

  /**
   * Notes what became of a hold or revocation, so that it is not asked for again while others of the resource fail, or while its
   * status cannot be written. The last status that a certificate was to get counts.
   */
  did(uid: string, { certificate, status }: Wanted, outcome: StatusAtCa): void {
    const note = this.#note(uid);
    note.done = new Map(note.done).set(certificateKey(certificate), { wanted: status, outcome });
  }

  /** The outcome of a hold or revocation that has been done for a resource, and that its status does not tell yet. */
  outcomeOf(uid: string, { certificate, status }: Wanted): StatusAtCa | undefined {
    const done = this.#notes.get(uid)?.done?.get(certificateKey(certificate));
    return done?.wanted === status ? done.outcome : undefined;
  }

  /** The status tells what has been done. */
  recorded(uid: string): void {
    const note = this.#notes.get(uid);
    if (!note?.done) return;
    delete note.done;
    if (note.failures === 0 && note.withoutAccessSince === undefined) this.#notes.delete(uid);
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
