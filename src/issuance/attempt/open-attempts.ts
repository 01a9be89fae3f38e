import type { AttemptKnowledge, AttemptProgress } from './memory.ts';
import { quietAfter, type Timing } from './timing.ts';

/**
 * What this process knows of the attempts that stand in the journal, beyond what stands there. It only saves time: all of it may be
 * lost. A resource has at most one open attempt, so at most one note.
 */
export class OpenAttempts<Bought> {
  readonly #notes = new Map<string, Note<Bought>>();

  /** The attempt is about to be written, or was dropped before it was sent. Until `sent` it may be replaced at once. */
  prepared(uid: string, id: string, monotonic: number): void {
    this.#set(uid, id, monotonic, { is: 'unsent' });
  }

  /** The first byte of its request leaves. */
  sent(uid: string, id: string, monotonic: number): void {
    this.#set(uid, id, monotonic, { is: 'open' });
  }

  /** The CA answered with this; the resource does not have it yet. */
  bought(uid: string, id: string, monotonic: number, bought: Bought): void {
    this.#set(uid, id, monotonic, { is: 'bought', bought });
  }

  /** What is known of an open attempt. The first call starts the clock of an attempt that another process made. */
  knowledgeOf(uid: string, id: string, monotonic: number, timing: Timing): AttemptKnowledge<Bought> {
    const { seenAt, progress } = this.#of(uid, id) ?? this.#set(uid, id, monotonic, { is: 'open' });
    return { quietAt: seenAt + quietAfter(timing), progress };
  }

  /** The resource has no open attempt, or is gone. */
  forget(uid: string): void {
    this.#notes.delete(uid);
  }

  get size(): number {
    return this.#notes.size;
  }

  #of(uid: string, id: string): Note<Bought> | undefined {
    const note = this.#notes.get(uid);
    return note?.id === id ? note : undefined;
  }

  #set(uid: string, id: string, monotonic: number, progress: AttemptProgress<Bought>): Note<Bought> {
    const note = { id, seenAt: this.#of(uid, id)?.seenAt ?? monotonic, progress };
    this.#notes.set(uid, note);
    return note;
  }
}

interface Note<Bought> {
  id: string;
  /** Monotonic milliseconds. */
  seenAt: number;
  progress: AttemptProgress<Bought>;
}
