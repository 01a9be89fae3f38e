import { formPairs } from '../http/form.ts';
import type { JournalEntry, JournalLine } from '../types.ts';

const SECRET = new Set(['passphrase', 'password', 'token', 'digest']);
const REDACTED = '[redacted]';
/** Most entries; beyond it the oldest tenth is dropped. */
const LIMIT = 200_000;

interface Waiter<E> {
  matches: (entry: E) => boolean;
  resolve: (entry: E) => void;
}

/** The requests and their results, in order of arrival. Contains no secret. */
export class Journal<E extends JournalLine = JournalEntry> {
  #entries: E[] = [];
  #lastSeq: number;
  readonly #waiters = new Set<Waiter<E>>();
  readonly #calls: Record<string, number> = {};
  readonly #errors: Record<string, number> = {};

  /** Entries are numbered from `lastSeq` + 1. */
  constructor(lastSeq: number) {
    this.#lastSeq = lastSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  get calls(): Record<string, number> {
    return { ...this.#calls };
  }

  get errors(): Record<string, number> {
    return { ...this.#errors };
  }

  /** Adds an entry for a request that has arrived. */
  open(request: Omit<E, 'seq'>): E {
    this.#lastSeq += 1;
    const entry = { seq: this.#lastSeq, ...request } as E;
    this.#entries.push(entry);
    if (this.#entries.length > LIMIT) this.#entries = this.#entries.slice(LIMIT / 10);
    this.#calls[entry.call] = (this.#calls[entry.call] ?? 0) + 1;
    this.#tell(entry);
    return entry;
  }

  /** Adds to an entry what is now known: its end, its effect, the client's departure. */
  update(entry: E, known: Partial<E>): void {
    if (known.code !== undefined) this.#errors[known.code] = (this.#errors[known.code] ?? 0) + 1;
    Object.assign(entry, known);
    this.#tell(entry);
  }

  /** The entries after that number. The numbers have no gaps, so earlier entries need no scan. */
  since(seq: number): E[] {
    const [first] = this.#entries;
    return first ? this.#entries.slice(Math.max(0, seq + 1 - first.seq)) : [];
  }

  clear(): void {
    this.#entries = [];
  }

  /** The first entry, present or future, that matches. Rejects with the signal's reason. */
  wait(matches: (entry: E) => boolean, signal?: AbortSignal): Promise<E> {
    const present = this.#entries.find(matches);
    if (present) return Promise.resolve(present);
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal?.reason as Error);
      };
      const waiter: Waiter<E> = {
        matches,
        resolve: (entry) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(entry);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  #tell(entry: E): void {
    for (const waiter of this.#waiters) {
      if (!waiter.matches(entry)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(entry);
    }
  }
}

/** The parameters for the journal: without token and digest, with passphrase and password redacted. */
export function shownParams(pairs: readonly [name: string, value: string][]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [name, value] of pairs) {
    if (name === 'token' || name === 'digest') continue;
    params[name] = SECRET.has(name) ? REDACTED : value;
  }
  return params;
}

/** A form body for the journal: as received, with the values of passphrase, password, token and digest redacted. */
export function shownBody(body: Buffer, isForm: boolean): string {
  if (!isForm) return body.length === 0 ? '' : `[${body.length} bytes that are not a form]`;
  const pieces = body.toString('utf8').split('&');
  return pieces
    .map((piece) => {
      const [name] = formPairs(piece)[0] ?? [''];
      return SECRET.has(name) ? `${name}=${REDACTED}` : piece;
    })
    .join('&');
}
