import { randomBytes } from 'node:crypto';

interface Session {
  accountId: number;
  /** Unix milliseconds. */
  startedAt: number;
}

/** Sessions by token. An account may have several; each ends a fixed time after its `connect`. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  get size(): number {
    return this.#sessions.size;
  }

  /** A new session's token: 64 lower-case hex digits. */
  open(accountId: number, now: number): string {
    const token = randomBytes(32).toString('hex');
    this.#sessions.set(token, { accountId, startedAt: now });
    return token;
  }

  /** The account of a session; undefined if the session does not exist or has expired. */
  accountOf(token: string, now: number, ttl: number): number | undefined {
    const session = this.#sessions.get(token);
    if (!session) return undefined;
    if (now - session.startedAt < ttl) return session.accountId;
    this.#sessions.delete(token);
    return undefined;
  }

  close(token: string): void {
    this.#sessions.delete(token);
  }

  /** Ends all sessions; returns how many there were. */
  expireAll(): number {
    const { size } = this.#sessions;
    this.#sessions.clear();
    return size;
  }
}
