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

/** What this process knows of an open attempt. */
export interface AttemptKnowledge<Bought> {
  /** From this moment of the monotonic clock on, the attempt can have no further effect at the CA. */
  quietAt: number;
  progress: AttemptProgress<Bought>;
}

/**
 * What this process knows of the attempts that stand in the journal, beyond what stands there. It only saves time: all of it may be
 * lost. An owner has at most one open attempt, so at most one note.
 */
export class OpenAttempts<Bought> {
  readonly #notes = new Map<string, Note<Bought>>();

  /** The attempt is about to be written, or was dropped before it was sent. Until `sent` it may be replaced at once. */
  prepared(owner: string, id: string, monotonic: number): void {
    this.#set(owner, id, monotonic, { is: 'unsent' });
  }

  /** The first byte of its request leaves; or its answer is in doubt, so nobody knows what became of it. */
  sent(owner: string, id: string, monotonic: number): void {
    this.#set(owner, id, monotonic, { is: 'open' });
  }

  /** A recovery has run and found nothing that the attempt bought. */
  fruitless(owner: string, id: string, monotonic: number): void {
    this.#set(owner, id, monotonic, { is: 'fruitless' });
  }

  /** The CA answered with this; the resource does not have it yet. */
  bought(owner: string, id: string, monotonic: number, bought: Bought): void {
    this.#set(owner, id, monotonic, { is: 'bought', bought });
  }

  /** What is known of an open attempt. The first call starts the clock of an attempt that another process made. */
  knowledgeOf(owner: string, id: string, monotonic: number, timing: Timing): AttemptKnowledge<Bought> {
    const { seenAt, progress } = this.#of(owner, id) ?? this.#set(owner, id, monotonic, { is: 'open' });
    return { quietAt: seenAt + quietAfter(timing), progress };
  }

  /** The entry is about to go on under another id. What is known of it stays known under both: the write may fail. */
  renamed(owner: string, id: string, to: string): void {
    const note = this.#of(owner, id);
    if (note) this.#notes.set(owner, { ...note, id: to, before: id });
  }

  /** Whether an attempt of this process is still its own: nobody has given it up since it was prepared. */
  isKept(owner: string, id: string): boolean {
    return this.#of(owner, id) !== undefined;
  }

  /** The owner has no open attempt, or is gone. */
  forget(owner: string): void {
    this.#notes.delete(owner);
  }

  /** The owners of notes that belong to a resource, by its uid. */
  ownersOf(uid: string): string[] {
    return [...this.#notes.keys()].filter((owner) => owner === uid || owner.startsWith(`${uid}.`));
  }

  get size(): number {
    return this.#notes.size;
  }

  #of(owner: string, id: string): Note<Bought> | undefined {
    const note = this.#notes.get(owner);
    return note?.id === id || note?.before === id ? note : undefined;
  }

  #set(owner: string, id: string, monotonic: number, progress: AttemptProgress<Bought>): Note<Bought> {
    const note = { ...(this.#of(owner, id) ?? { id, seenAt: monotonic }), progress };
    this.#notes.set(owner, note);
    return note;
  }
}

/** The certificate that this process knows an attempt to have bought. */
export function boughtBy<Bought>(known: AttemptKnowledge<Bought> | undefined): Bought | undefined {
  return known?.progress.is === 'bought' ? known.progress.bought : undefined;
}

interface Note<Bought> {
  id: string;
  /** The id of its entry before. */
  before?: string;
  /** Monotonic milliseconds. */
  seenAt: number;
  progress: AttemptProgress<Bought>;
}
