import { quietAfter, type Timing } from './timing.ts';

/** What this process knows of an open attempt. `Bought` is the type of what a CA issues. */
export interface AttemptKnowledge<Bought> {
  /** From this moment on the monotonic clock, nothing can come of the attempt any more. */
  quietAt: number;
  /** Its request was never sent. */
  unsent: boolean;
  /** A recovery found nothing that the attempt bought. */
  isFruitless?: boolean | undefined;
  /** What the CA issued, if its answer reached this process. */
  bought?: Bought | undefined;
}

/** What this process knows of open attempts beyond their status. Losing it only costs time. */
export class AttemptMemory<Bought> {
  readonly #notes = new Map<string, AttemptNote<Bought>>();

  /** The attempt is about to be recorded. Until `sent` it may be replaced at once, even if that write fails. */
  prepared(attemptId: string, monotonic: number): void {
    this.#note(attemptId, monotonic).unsent = true;
  }

  /** The first byte of its request is about to leave. */
  sent(attemptId: string): void {
    const note = this.#notes.get(attemptId);
    if (note) note.unsent = false;
  }

  /** A recovery found nothing that the attempt bought. */
  fruitless(attemptId: string, monotonic: number): void {
    this.#note(attemptId, monotonic).isFruitless = true;
  }

  /** The CA issued this, and status does not record it yet. */
  bought(attemptId: string, monotonic: number, bought: Bought): void {
    this.#note(attemptId, monotonic).bought = bought;
  }

  /** What is known of an open attempt. Counts from now if this process has not seen it before. */
  knowledgeOf(attemptId: string, monotonic: number, timing: Timing): AttemptKnowledge<Bought> {
    const { seenAt, unsent = false, isFruitless, bought } = this.#note(attemptId, monotonic);
    return { quietAt: seenAt + quietAfter(timing), unsent, isFruitless, bought };
  }

  /** The attempt is closed or gone. */
  forget(attemptId: string): void {
    this.#notes.delete(attemptId);
  }

  get size(): number {
    return this.#notes.size;
  }

  #note(attemptId: string, monotonic: number): AttemptNote<Bought> {
    const note = this.#notes.get(attemptId) ?? { seenAt: monotonic };
    this.#notes.set(attemptId, note);
    return note;
  }
}

interface AttemptNote<Bought> {
  /** Monotonic milliseconds. */
  seenAt: number;
  unsent?: boolean;
  isFruitless?: boolean;
  bought?: Bought;
}
