import { createHmac, randomBytes } from 'node:crypto';
import { parseCaBundle, parseEndpoint } from '../http/endpoint.ts';
import type { TinyCertAccountOptions } from './account.ts';
import { defaultEndpoint } from './default-endpoint.ts';
import { invalidOptions } from './errors.ts';

/** Logs in; resolves to the token. */
export type Login = (signal: AbortSignal) => Promise<string>;

interface PendingLogin {
  readonly token: Promise<string>;
  readonly giveUp: AbortController;
  waiting: number;
}

/** Keys the digests with a secret of this process, so they reveal nothing about the credentials. */
const digestKey = randomBytes(32);

/**
 * A name for everything that determines a session: endpoint, CA bundle, e-mail, passphrase and API key. Two clients can
 * share a session only if their keys are equal. The name is valid within this process only. Throws `InvalidOptions`.
 */
export function sessionKey({ endpoint = defaultEndpoint, ca, credentials }: TinyCertAccountOptions): string {
  const { url, basePath } = parseEndpoint(endpoint, true, invalidOptions);
  const parts = [
    url.origin + basePath,
    parseCaBundle(ca, invalidOptions) ?? null,
    credentials.email,
    credentials.passphrase,
    credentials.apiKey,
  ];
  return createHmac('sha256', digestKey).update(JSON.stringify(parts)).digest('hex');
}

/** The part of a session that only clients can see. */
export class SessionState {
  readonly key: string;
  #token: string | undefined;
  #pending: PendingLogin | undefined;

  constructor(key: string) {
    this.key = key;
  }

  /** The current token, if the session is open. */
  get token(): string | undefined {
    return this.#token;
  }

  /** Drops a token that the service refused or that was ended. A newer token stays. */
  drop(token: string): void {
    if (this.#token === token) this.#token = undefined;
  }

  /**
   * Resolves to the token, after a login if there is none. Callers that arrive during a login share it. It is aborted
   * once all of them have aborted. Rejects with the reason of the signal, or with the error of the login.
   */
  async acquire(login: Login, signal: AbortSignal): Promise<string> {
    if (this.#token !== undefined) return this.#token;
    signal.throwIfAborted();
    const pending = this.#pending ?? this.#start(login);
    pending.waiting += 1;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([pending.token, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      pending.waiting -= 1;
      if (pending.waiting === 0) this.#abandon(pending);
    }
  }

  #start(login: Login): PendingLogin {
    const giveUp = new AbortController();
    const pending: PendingLogin = { token: this.#login(login, giveUp.signal), giveUp, waiting: 0 };
    this.#pending = pending;
    return pending;
  }

  async #login(login: Login, signal: AbortSignal): Promise<string> {
    // Lets `#start` store the pending login before it can end.
    await Promise.resolve();
    try {
      const token = await login(signal);
      // Callers that arrive after an abandoned login start their own.
      if (!signal.aborted) this.#token = token;
      return token;
    } finally {
      if (!signal.aborted) this.#pending = undefined;
    }
  }

  #abandon(pending: PendingLogin): void {
    if (this.#pending !== pending) return;
    this.#pending = undefined;
    pending.giveUp.abort();
  }
}

/** Gives clients access to the inside of a session. */
export let stateOf: (session: TinyCertSession) => SessionState;

/** The login of one account, which clients of the same account can share. It never shows its token. */
export class TinyCertSession {
  readonly #state: SessionState;

  constructor(key: string) {
    this.#state = new SessionState(key);
  }

  static {
    stateOf = (session) => session.#state;
  }

  /** Whether there is a token. It may have expired at the service. */
  get isOpen(): boolean {
    return this.#state.token !== undefined;
  }
}

/**
 * Creates a session for an account without logging in. Only clients with equal options can use it. Throws
 * `InvalidOptions`.
 */
export function createTinyCertSession(options: TinyCertAccountOptions): TinyCertSession {
  return new TinyCertSession(sessionKey(options));
}
