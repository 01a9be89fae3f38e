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

/** What this process knows of attempts beyond what status records. It only saves time: all of it may be lost. */
export class AttemptMemory<Bought> {
  readonly #notes = new Map<string, AttemptNote<Bought>>();

  /** The attempt is about to be written, or was dropped before it was sent. Until `sent` it may be replaced at once. */
  prepared(attemptId: string, monotonic: number): void {
    this.#note(attemptId, monotonic).progress = { is: 'unsent' };
  }

  /** The first byte of its request leaves. */
  sent(attemptId: string): void {
    const note = this.#notes.get(attemptId);
    if (note) note.progress = { is: 'open' };
  }

  /** A recovery has run and found nothing that the attempt bought. */
  fruitless(attemptId: string, monotonic: number): void {
    this.#note(attemptId, monotonic).progress = { is: 'fruitless' };
  }

  /** The CA's answer may belong to another request, so nobody knows the result. */
  doubted(attemptId: string): void {
    this.sent(attemptId);
  }

  /** The CA answered with this; the resource does not have it yet. */
  bought(attemptId: string, monotonic: number, bought: Bought): void {
    this.#note(attemptId, monotonic).progress = { is: 'bought', bought };
  }

  /** What is known of an open attempt. The first call starts the clock of an attempt that another process made. */
  knowledgeOf(attemptId: string, monotonic: number, timing: Timing): AttemptKnowledge<Bought> {
    const { seenAt, progress } = this.#note(attemptId, monotonic);
    return { quietAt: seenAt + quietAfter(timing), progress };
  }

  /** The attempt has a result or is gone. */
  forget(attemptId: string): void {
    this.#notes.delete(attemptId);
  }

  get size(): number {
    return this.#notes.size;
  }

  #note(attemptId: string, monotonic: number): AttemptNote<Bought> {
    const note = this.#notes.get(attemptId) ?? { seenAt: monotonic, progress: { is: 'open' } };
    this.#notes.set(attemptId, note);
    return note;
  }
}

/** The certificate that this process knows an attempt to have bought. */
export function boughtBy<Bought>(known: AttemptKnowledge<Bought> | undefined): Bought | undefined {
  return known?.progress.is === 'bought' ? known.progress.bought : undefined;
}

interface AttemptNote<Bought> {
  /** Monotonic milliseconds. */
  seenAt: number;
  progress: AttemptProgress<Bought>;
}
