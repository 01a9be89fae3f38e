import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Clock, Deadline } from '../lib/clock.ts';
import type { ClockOffset } from '../http/clock-offset.ts';
import { abortError, type ExchangeRequest } from '../http/exchange.ts';
import { type Cleaner, createCleaner } from '../http/secrecy.ts';
import { Sender } from '../http/sender.ts';
import type { ClientSettings } from '../http/settings.ts';
import type { CallOptions, WaitOptions } from '../http/types.ts';
import type { TinyCertCredentials } from './account.ts';
import { makeError, TinyCertError } from './errors.ts';
import { parseBody, readError } from './reply.ts';
import { tokenReply } from './schemas.ts';
import type { SessionState } from './session.ts';
import { type Parameters, signForm } from './signing.ts';

/** What a caller needs. */
export interface CallerOptions {
  readonly credentials: TinyCertCredentials;
  readonly session: SessionState;
  readonly settings: ClientSettings;
  /** The most milliseconds a call may take, unless it has its own limit. */
  readonly deadlineMs: number;
}

/** One call of the API. */
export interface Call {
  /** Its path, such as `cert/new`. */
  readonly name: string;
  readonly parameters: Parameters;
  /** The most bytes of the reply. Default: 1 MiB. */
  readonly maxBytes?: number;
  /** Receives the body as it arrives. */
  readonly sink?: ExchangeRequest['sink'];
}

/** The most bytes of a reply, unless the call has its own limit. */
const maxReplyBytes = 1024 * 1024;

/**
 * Makes the calls of an account. It signs them, logs in if there is no session, and repeats a call once if the service
 * refused its session. That is safe for every call, because the service refuses before it acts. Nothing else is repeated.
 */
export class Caller {
  readonly #credentials: Pick<TinyCertCredentials, 'email' | 'passphrase'>;
  readonly #apiKey: KeyObject;
  readonly #session: SessionState;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #clean: Cleaner;
  readonly #sender: Sender;

  constructor({ credentials, session, settings, deadlineMs }: CallerOptions) {
    this.#credentials = { email: credentials.email, passphrase: credentials.passphrase };
    this.#apiKey = createSecretKey(Buffer.from(credentials.apiKey));
    this.#session = session;
    this.#clock = settings.clock;
    this.#deadlineMs = deadlineMs;
    this.#clean = createCleaner([credentials.passphrase, credentials.apiKey]);
    const headers = { accept: 'application/json' };
    this.#sender = new Sender({ settings, headers, clean: this.#clean, makeError });
  }

  /** The difference between the service's clock and ours. Undefined before the first answer. */
  get clockOffset(): ClockOffset | undefined {
    return this.#sender.clockOffset;
  }

  /** Makes a call and resolves to the body of its 200. */
  async invoke(call: Call, options: CallOptions = {}): Promise<Buffer> {
    this.#sender.refuseIfClosed(call.name);
    const time = this.#deadline(options);
    try {
      for (let repeated = false; ; repeated = true) {
        const token = this.#session.token ?? (await this.#login(call.name, time.signal));
        try {
          return await this.#send(call, token, time.signal, options.beforeSend);
        } catch (error) {
          if (!isSessionRefused(error) && !isSignatureRefused(error)) throw error;
          this.#session.drop(token);
          if (repeated) throw error;
        }
      }
    } finally {
      time.clear();
    }
  }

  /** Logs in unless a session is open. */
  async connect(options: WaitOptions = {}): Promise<void> {
    this.#sender.refuseIfClosed('connect');
    const time = this.#deadline(options);
    try {
      await this.#login('connect', time.signal);
    } finally {
      time.clear();
    }
  }

  /** Ends the session if there is one. A session that the service ended before is no error. */
  async disconnect(options: CallOptions = {}): Promise<void> {
    this.#sender.refuseIfClosed('disconnect');
    await this.#disconnect(options);
  }

  /** Fails the calls in progress and closes the connections. */
  async close(disconnect: boolean): Promise<void> {
    await this.#sender.close(async () => {
      if (disconnect) await this.#disconnect({}).catch(ignoreFailure);
    });
  }

  async #disconnect(options: CallOptions): Promise<void> {
    const { token } = this.#session;
    if (token === undefined) return;
    this.#session.drop(token);
    const time = this.#deadline(options);
    try {
      const call = { name: 'disconnect', parameters: {} };
      await this.#send(call, token, time.signal, options.beforeSend);
    } catch (error) {
      if (!isSessionRefused(error)) throw error;
    } finally {
      time.clear();
    }
  }

  /** Resolves to the token of the session, for a call named `name` that is aborted by `signal`. */
  async #login(name: string, signal: AbortSignal): Promise<string> {
    const either = AbortSignal.any([signal, this.#sender.closing]);
    for (;;) {
      try {
        return await this.#session.acquire(this.#connect, either);
      } catch (error) {
        if (either.aborted) throw abortError(makeError, either.reason, { call: name });
        // Another client was closed while it logged in for the shared session, so log in here.
        if (!(error instanceof TinyCertError && error.code === 'Closed')) throw error;
      }
    }
  }

  /** The login itself. It has its own deadline, because calls with different deadlines share it. */
  readonly #connect = async (given: AbortSignal): Promise<string> => {
    const time = this.#deadline({ signal: given });
    try {
      // Without an old token: the documentation does not say how the service would treat it.
      const call = { name: 'connect', parameters: this.#credentials };
      return parseBody('connect', await this.#send(call, undefined, time.signal), tokenReply);
    } finally {
      time.clear();
    }
  };

  /** Sends a request and resolves to the body of its 200. */
  #send(
    { name, parameters, maxBytes = maxReplyBytes, sink }: Call,
    token: string | undefined,
    signal: AbortSignal,
    beforeSend?: () => void,
  ): Promise<Buffer> {
    const body = signForm(token === undefined ? parameters : { ...parameters, token }, this.#apiKey);
    return this.#sender.send({ call: name, body, signal, beforeSend, maxBytes, sink }, (reply) => {
      if (reply.status === 200) return reply.body;
      throw readError(reply, { call: name, token, clean: this.#clean, now: this.#clock.now() });
    });
  }

  #deadline(options: WaitOptions): Deadline {
    return this.#sender.deadline(options, this.#deadlineMs);
  }
}

/** Whether the service refused the session, and therefore did nothing. */
function isSessionRefused(error: unknown): boolean {
  return error instanceof TinyCertError && (error.code === 'InvalidToken' || error.code === 'SessionError');
}

/** Whether the service refused the signature, and therefore did nothing. If the API key was replaced, a login says so. */
function isSignatureRefused(error: unknown): boolean {
  return error instanceof TinyCertError && error.code === 'SignatureFailure';
}

function ignoreFailure(error: unknown): void {
  if (!(error instanceof TinyCertError)) throw error;
}
