import { createSecretKey, type KeyObject } from 'node:crypto';
import { type Clock, deadline } from '../lib/clock.ts';
import { ClockComparison, type ClockOffset } from './clock-offset.ts';
import { TinyCertError } from './errors.ts';
import { abortError, ClientClosed, DeadlinePassed, type ExchangeRequest, type Reply } from './exchange.ts';
import { parseBody, readError } from './reply.ts';
import { tokenReply } from './schemas.ts';
import { type Cleaner, createCleaner } from './secrecy.ts';
import type { SessionState } from './session.ts';
import { type Parameters, signForm } from './signing.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, TinyCertClientOptions, TinyCertCredentials, WaitOptions } from './types.ts';

/** What a caller is made of. */
export interface CallerOptions {
  readonly credentials: TinyCertCredentials;
  readonly session: SessionState;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly onRequest?: TinyCertClientOptions['onRequest'];
  readonly openTransport: (clean: Cleaner) => Transport;
}

/** One call of the API. */
export interface Call {
  /** Its path, as in `cert/new`. */
  readonly name: string;
  readonly parameters: Parameters;
  /** Bytes of the reply at most; 1 MiB unless given. */
  readonly maxBytes?: number;
  /** Takes the body as it comes. */
  readonly sink?: ExchangeRequest['sink'];
}

/** Bytes of a reply at most, unless a call says otherwise. */
const maxReplyBytes = 1024 * 1024;

/**
 * Makes calls under an account: signs them, logs in when there is no session, repeats a call once that was refused for
 * its session. That is safe for every call, as the service refuses before it acts. Nothing else is ever repeated.
 */
export class Caller {
  readonly #credentials: Pick<TinyCertCredentials, 'email' | 'passphrase'>;
  readonly #apiKey: KeyObject;
  readonly #session: SessionState;
  readonly #clock: Clock;
  readonly #comparison: ClockComparison;
  readonly #deadlineMs: number;
  readonly #onRequest: TinyCertClientOptions['onRequest'];
  readonly #clean: Cleaner;
  readonly #transport: Transport;
  readonly #closing = new AbortController();

  constructor({ credentials, session, clock, deadlineMs, onRequest, openTransport }: CallerOptions) {
    this.#credentials = { email: credentials.email, passphrase: credentials.passphrase };
    this.#apiKey = createSecretKey(Buffer.from(credentials.apiKey));
    this.#session = session;
    this.#clock = clock;
    this.#comparison = new ClockComparison(clock);
    this.#deadlineMs = deadlineMs;
    this.#onRequest = onRequest;
    this.#clean = createCleaner([credentials.passphrase, credentials.apiKey]);
    this.#transport = openTransport(this.#clean);
  }

  /** How the service's clock compares with ours, as far as its answers have told. */
  get clockOffset(): ClockOffset | undefined {
    return this.#comparison.get();
  }

  /** Makes a call and resolves to the body of its 200. */
  async invoke(call: Call, options: CallOptions = {}): Promise<Buffer> {
    this.#refuseIfClosed(call.name);
    const time = this.#deadline(options);
    try {
      for (let repeated = false; ; repeated = true) {
        const token = this.#session.token ?? (await this.#login(call.name, time.signal));
        const reply = await this.#send(call, token, time.signal, options.beforeSend);
        if (reply.status === 200) return reply.body;
        const error = this.#errorOf(call.name, reply, token);
        if (!isSessionRefused(error)) throw error;
        this.#session.drop(token);
        if (repeated) throw error;
      }
    } finally {
      time.clear();
    }
  }

  /** Logs in unless a session is open. */
  async connect(options: WaitOptions = {}): Promise<void> {
    this.#refuseIfClosed('connect');
    const time = this.#deadline(options);
    try {
      await this.#login('connect', time.signal);
    } finally {
      time.clear();
    }
  }

  /** Ends the session if there is one. That it had ended before is no error. */
  async disconnect(options: CallOptions = {}): Promise<void> {
    this.#refuseIfClosed('disconnect');
    await this.#disconnect(options);
  }

  /** Fails what is under way and closes the connections. */
  async close(disconnect: boolean): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort(new ClientClosed());
      if (disconnect) await this.#disconnect({}).catch(ignoreFailure);
    }
    await this.#transport.close();
  }

  async #disconnect(options: CallOptions): Promise<void> {
    const { token } = this.#session;
    if (token === undefined) return;
    this.#session.drop(token);
    const time = this.#deadline(options);
    try {
      const call = { name: 'disconnect', parameters: {} };
      const reply = await this.#send(call, token, time.signal, options.beforeSend);
      if (reply.status === 200) return;
      const error = this.#errorOf('disconnect', reply, token);
      if (!isSessionRefused(error)) throw error;
    } finally {
      time.clear();
    }
  }

  /** The session's token, for a call named `name` that gives up with `signal`. */
  async #login(name: string, signal: AbortSignal): Promise<string> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    for (;;) {
      try {
        return await this.#session.acquire(this.#connect, either);
      } catch (error) {
        if (either.aborted) throw abortError(either.reason, { call: name });
        // A client that shares the session was closed while it logged in for both: our turn.
        if (!(error instanceof TinyCertError && error.code === 'Closed')) throw error;
      }
    }
  }

  /** The login itself. It has a deadline of its own, since calls of different patience share it. */
  readonly #connect = async (given: AbortSignal): Promise<string> => {
    const time = this.#deadline({ signal: given });
    try {
      // No old token: what the service would make of one is not documented.
      const reply = await this.#send(
        { name: 'connect', parameters: this.#credentials },
        undefined,
        time.signal,
      );
      if (reply.status !== 200) throw this.#errorOf('connect', reply, undefined);
      return parseBody('connect', reply.body, tokenReply);
    } finally {
      time.clear();
    }
  };

  async #send(
    { name, parameters, maxBytes = maxReplyBytes, sink }: Call,
    token: string | undefined,
    signal: AbortSignal,
    beforeSend?: () => void,
  ): Promise<Reply> {
    const body = signForm(token === undefined ? parameters : { ...parameters, token }, this.#apiKey);
    const started = this.#clock.monotonic();
    let sent = this.#comparison.moment();
    const onSend = (): void => {
      beforeSend?.();
      sent = this.#comparison.moment();
    };
    let code = 'NotSent';
    try {
      const request = { call: name, body, signal, beforeSend: onSend, maxBytes, sink };
      const reply = await this.#transport.send(request);
      this.#comparison.note(reply.headers.date, sent);
      code = reply.status === 200 ? '200' : this.#errorOf(name, reply, token).code;
      return reply;
    } catch (error) {
      if (error instanceof TinyCertError) ({ code } = error);
      throw error;
    } finally {
      this.#onRequest?.({ call: name, code, milliseconds: this.#clock.monotonic() - started });
    }
  }

  #errorOf(call: string, reply: Reply, token: string | undefined): TinyCertError {
    return readError(reply, { call, token, clean: this.#clean, now: this.#clock.now() });
  }

  #deadline({ signal, deadlineMs = this.#deadlineMs }: WaitOptions): ReturnType<typeof deadline> {
    return deadline(this.#clock, deadlineMs, () => new DeadlinePassed(), signal);
  }

  #refuseIfClosed(call: string): void {
    if (this.#closing.signal.aborted) throw new TinyCertError('Closed', { call });
  }
}

/** Whether the service refused the session and hence did nothing. */
function isSessionRefused(error: TinyCertError): boolean {
  return error.code === 'InvalidToken' || error.code === 'SessionError';
}

function ignoreFailure(error: unknown): void {
  if (!(error instanceof TinyCertError)) throw error;
}
