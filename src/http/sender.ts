import { type Deadline, deadline } from '../lib/clock.ts';
import { ClockComparison, type ClockOffset } from './clock-offset.ts';
import type { ErrorMaker } from './error-codes.ts';
import { ApiError } from './errors.ts';
import { ClientClosed, DeadlinePassed, type Reply } from './exchange.ts';
import type { Cleaner } from './secrecy.ts';
import type { ClientSettings } from './settings.ts';
import { createTransport, type Transport, type TransportRequest } from './transport.ts';
import type { WaitOptions } from './types.ts';

/** What a sender needs. */
export interface SenderOptions {
  readonly settings: ClientSettings;
  /** Headers of every request, in addition to the user agent and those of its encoding. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clean: Cleaner;
  readonly makeError: ErrorMaker;
}

/** Sends each request of one client once. It times and reports the requests, and learns the service's clock from the answers. */
export class Sender {
  readonly #settings: ClientSettings;
  readonly #makeError: ErrorMaker;
  readonly #transport: Transport;
  readonly #comparison: ClockComparison;
  readonly #closing = new AbortController();

  constructor({ settings, headers, clean, makeError }: SenderOptions) {
    this.#settings = settings;
    this.#makeError = makeError;
    this.#comparison = new ClockComparison(settings.clock);
    const common = { ...headers, 'user-agent': settings.userAgent };
    this.#transport = createTransport({ ...settings, headers: common, clean, makeError });
  }

  /** The difference between the service's clock and ours. Undefined before the first answer. */
  get clockOffset(): ClockOffset | undefined {
    return this.#comparison.get();
  }

  /** Aborts with `ClientClosed` once the client closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Starts the deadline of a call. `usual` is the default, in milliseconds. */
  deadline({ signal, deadlineMs }: WaitOptions, usual: number): Deadline {
    return deadline(this.#settings.clock, deadlineMs ?? usual, () => new DeadlinePassed(), signal);
  }

  /** Throws `Closed` if the client is closed. */
  refuseIfClosed(call: string): void {
    if (this.closing.aborted) throw this.#makeError('Closed', { call });
  }

  /** Sends a request and resolves to the result of `read` for its reply. Rejects with any error that `read` throws. */
  async send<T>(request: TransportRequest, read: (reply: Reply) => T): Promise<T> {
    const { call } = request;
    const started = this.#settings.clock.monotonic();
    let sent = this.#comparison.moment();
    const beforeSend = (): void => {
      request.beforeSend?.();
      sent = this.#comparison.moment();
    };
    let code = 'NotSent';
    try {
      const reply = await this.#transport.send({ ...request, beforeSend });
      this.#comparison.note(reply.headers.date, sent);
      const result = read(reply);
      code = '200';
      return result;
    } catch (error) {
      if (error instanceof ApiError) ({ code } = error);
      throw error;
    } finally {
      this.#settings.onRequest?.({ call, code, milliseconds: this.#settings.clock.monotonic() - started });
    }
  }

  /** Makes all calls fail with `Closed` from now on, waits for `first`, and closes the connections. */
  async close(first?: () => Promise<void>): Promise<void> {
    if (!this.closing.aborted) {
      this.#closing.abort(new ClientClosed());
      await first?.();
    }
    await this.#transport.close();
  }
}
