import { quietAfter, type Timing } from './timing.ts';

/** What this process remembers of an open attempt. `Bought`: what a CA answers with. */
export interface AttemptKnowledge<Bought> {
  /** Nothing of the attempt can happen any more from this moment on, on the monotonic clock. */
  quietAt: number;
  unsent: boolean;
  /** A recovery has looked already, and found nothing. */
  isFruitless?: boolean | undefined;
  /** What the CA answered, if this process heard it. */
  bought?: Bought | undefined;
}

/** What this process knows of its own attempts beyond what is written. All of it may be lost: it only saves time. */
export class AttemptMemory<Bought> {
  readonly #notes = new Map<string, AttemptNote<Bought>>();

  /** The attempt is about to be written; until `sent` it may be replaced at once, whatever becomes of the write. */
  prepared(attemptId: string, monotonic: number): void {
    this.#note(attemptId, monotonic).unsent = true;
  }

  /** The first byte of its request leaves. */
  sent(attemptId: string): void {
    const note = this.#notes.get(attemptId);
    if (note) note.unsent = false;
  }

  /** A recovery has looked, and found nothing that the attempt bought. */
  fruitless(attemptId: string, monotonic: number): void {
    this.#note(attemptId, monotonic).isFruitless = true;
  }

  /** The CA answered with this; the resource does not hold it yet. */
  bought(attemptId: string, monotonic: number, bought: Bought): void {
    this.#note(attemptId, monotonic).bought = bought;
  }

  /** What is known of an open attempt, which is first seen now or was before. */
  knowledgeOf(attemptId: string, monotonic: number, timing: Timing): AttemptKnowledge<Bought> {
    const { seenAt, unsent = false, isFruitless, bought } = this.#note(attemptId, monotonic);
    return { quietAt: seenAt + quietAfter(timing), unsent, isFruitless, bought };
  }

  /** The attempt is concluded or gone. */
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
