import { quietAfter, type Timing } from './timing.ts';

/** How far an open attempt got, as this process knows. `Bought` is what the CA answers with. */
export type AttemptProgress<Bought> =
  /** It may have been sent, and nobody here knows the result. */
  | { is: 'open' }
  /** No byte of its request left this process, so it may be replaced at once. */
  | { is: 'unsent' }
  /** A recovery has run and found nothing that it bought. */
  | { is: 'fruitless' }
  /** The CA answered with this; the resource does not have it yet. */
  | { is: 'bought'; bought: Bought };

/** What this process remembers of an open attempt. */
export interface AttemptKnowledge<Bought> {
  /** From this moment of the monotonic clock on, the attempt can have no further effect at the CA. */
  quietAt: number;
  progress: AttemptProgress<Bought>;
}

/**
 * What this process knows of attempts beyond what status records. It only saves time: all of it may be lost. A note is made
 * for a resource, by its uid, and ends with it at the latest; what comes of an attempt without a note is not remembered.
 */
export class AttemptMemory<Bought> {
  readonly #notes = new Map<string, AttemptNote<Bought>>();
  /** The ids of the attempts of each resource, by uid. */
  readonly #owned = new Map<string, Set<string>>();

  /** The attempt of the resource with this uid is about to be written. Until `sent` it may be replaced at once. */
  prepared(attemptId: string, monotonic: number, uid: string | undefined): void {
    this.#note(attemptId, monotonic, uid).progress = { is: 'unsent' };
  }

  /** The attempt was dropped before it was sent, or was certainly refused: it may be replaced at once. */
  unsent(attemptId: string): void {
    this.#set(attemptId, { is: 'unsent' });
  }

  /** The first byte of its request leaves. */
  sent(attemptId: string): void {
    this.#set(attemptId, { is: 'open' });
  }

  /** A recovery has run and found nothing that the attempt bought. */
  fruitless(attemptId: string): void {
    this.#set(attemptId, { is: 'fruitless' });
  }

  /** The CA's answer may belong to another request, so nobody knows the result. */
  doubted(attemptId: string): void {
    this.sent(attemptId);
  }

  /** The CA answered with this; the resource does not have it yet. */
  bought(attemptId: string, bought: Bought): void {
    this.#set(attemptId, { is: 'bought', bought });
  }

  /**
   * What is known of an open attempt of the resource with this uid. The first call starts the clock of an attempt that
   * another process made.
   */
  knowledgeOf(
    attemptId: string,
    monotonic: number,
    timing: Timing,
    uid: string | undefined,
  ): AttemptKnowledge<Bought> {
    const { seenAt, progress } = this.#note(attemptId, monotonic, uid);
    return { quietAt: seenAt + quietAfter(timing), progress };
  }

  /** The attempt has a result. */
  forget(attemptId: string): void {
    const note = this.#notes.get(attemptId);
    if (!note) return;
    this.#notes.delete(attemptId);
    const owned = this.#owned.get(note.uid);
    owned?.delete(attemptId);
    if (owned?.size === 0) this.#owned.delete(note.uid);
  }

  /** The resource with this uid is gone. */
  forgetOwner(uid: string): void {
    for (const attemptId of this.#owned.get(uid) ?? []) this.#notes.delete(attemptId);
    this.#owned.delete(uid);
  }

  get size(): number {
    return this.#notes.size;
  }

  #set(attemptId: string, progress: AttemptProgress<Bought>): void {
    const note = this.#notes.get(attemptId);
    if (note) note.progress = progress;
  }

  #note(attemptId: string, monotonic: number, uid = ''): AttemptNote<Bought> {
    const known = this.#notes.get(attemptId);
    if (known) return known;
    const note: AttemptNote<Bought> = { uid, seenAt: monotonic, progress: { is: 'open' } };
    this.#notes.set(attemptId, note);
    this.#owned.set(uid, (this.#owned.get(uid) ?? new Set()).add(attemptId));
    return note;
  }
}

/** The certificate that this process knows an attempt to have bought. */
export function boughtBy<Bought>(known: AttemptKnowledge<Bought> | undefined): Bought | undefined {
  return known?.progress.is === 'bought' ? known.progress.bought : undefined;
}

interface AttemptNote<Bought> {
  /** Of the resource. */
  uid: string;
  /** Monotonic milliseconds. */
  seenAt: number;
  progress: AttemptProgress<Bought>;
}
