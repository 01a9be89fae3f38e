import type { Dispatcher } from 'undici';
import type { Clock } from '../../lib/clock.ts';
import { ApiError } from '../errors.ts';
import { networkError } from './network-error.ts';

/** A request and its limits. */
export interface ExchangeOptions {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  readonly clock: Clock;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly resource: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  /** Time limit for the whole answer, in milliseconds. */
  readonly deadlineMs: number;
  /** Largest body that is accepted, in bytes on the wire. */
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
  /** Called synchronously with each chunk of a 200, which is then not kept. May throw to end the exchange. */
  readonly onChunk?: (chunk: Buffer) => void;
  /** With `onChunk`: called when the headers of a 200 arrive. */
  readonly onOpen?: (() => void) | undefined;
  /** With `onChunk`: milliseconds without a byte after which the connection counts as dead. */
  readonly idleMs?: number;
}

/** The API server answers a watch with headers at once. Without any after this time, in milliseconds, the connection is dead. */
const STREAM_OPENS_MS = 30_000;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/**
 * One HTTP exchange. It uses undici's `dispatch`, below `request`, to need no stream object, no AbortController and only one timer per
 * request: several hundred of these a second may share a core with the API server. Resolves for any HTTP status. Rejects with an
 * `ApiError` whose reason is ConnectionFailed, DeadlineExceeded, Aborted or ProtocolError.
 */
export function exchange(options: ExchangeOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(aborted(options));
      return;
    }
    const handler = new ExchangeHandler(options, resolve, reject);
    const { dispatcher, origin, method, path, headers, body = null } = options;
    // Without `reset: false`, undici closes the connection after a DELETE with a body.
    dispatcher.dispatch({ origin, method, path, headers, body, reset: false }, handler);
  });
}

class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  readonly #cancelDeadline: () => void;
  readonly #onAbort: (() => void) | undefined;
  #cancelIdle: (() => void) | undefined;
  #size = 0;
  #status = 0;
  #headers: Answer['headers'] = {};
  #lastByte = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #failure: Error | undefined;
  #settled = false;

  constructor(options: ExchangeOptions, resolve: (answer: Answer) => void, reject: (error: Error) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    const late = (): void =>
      this.#fail(failure(options, 'DeadlineExceeded', 'The API server did not answer in time.'));
    this.#cancelDeadline = options.clock.timer(options.deadlineMs, late);
    if (options.onChunk) this.#cancelIdle = options.clock.timer(STREAM_OPENS_MS, late);
    if (options.signal) {
      this.#onAbort = () => this.#fail(aborted(options));
      options.signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  /** Called just before the first byte is written. A request that failed while it waited for a connection is never sent. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure) controller.abort(this.#failure);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Answer['headers'],
  ): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const { idleMs } = this.#options;
    this.#cancelIdle?.();
    if (!this.#streams) return;
    if (idleMs !== undefined) this.#watchIdle(idleMs);
    this.#options.onOpen?.();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    const { onChunk, maxBytes, clock } = this.#options;
    if (onChunk && this.#status === 200) {
      this.#lastByte = clock.monotonic();
      try {
        onChunk(chunk);
      } catch (error) {
        this.#fail(error instanceof Error ? error : failure(this.#options, 'ProtocolError', String(error)));
      }
      return;
    }
    this.#size += chunk.length;
    if (this.#size > maxBytes) {
      this.#fail(
        failure(this.#options, 'ProtocolError', 'The answer of the API server is larger than the limit.'),
      );
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (!this.#settle()) return;
    const [only] = this.#chunks;
    const body = only && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks, this.#size);
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#settle()) return;
    this.#reject(networkError(error, { verb: this.#options.method, resource: this.#options.resource }));
  }

  get #streams(): boolean {
    return this.#options.onChunk !== undefined && this.#status === 200;
  }

  /**
   * One timer checks the time of the last byte, which is cheaper than one that is re-armed with each chunk. undici's own `bodyTimeout`
   * is no substitute: it stops while the reader applies back-pressure (nodejs/undici#5393).
   */
  #watchIdle(idleMs: number): void {
    const { clock } = this.#options;
    this.#lastByte = clock.monotonic();
    const check = (): void => {
      const left = this.#lastByte + idleMs - clock.monotonic();
      if (left > 0) this.#cancelIdle = clock.timer(left, check);
      else this.#fail(failure(this.#options, 'DeadlineExceeded', 'The API server has gone silent.'));
    };
    this.#cancelIdle = clock.timer(idleMs, check);
  }

  #fail(error: Error): void {
    if (!this.#settle()) return;
    this.#failure = error;
    this.#reject(error);
    this.#controller?.abort(error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#cancelDeadline();
    this.#cancelIdle?.();
    if (this.#onAbort) this.#options.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

function failure(options: ExchangeOptions, reason: string, message: string): ApiError {
  return new ApiError({ status: 0, reason, message, verb: options.method, resource: options.resource });
}

function aborted(options: ExchangeOptions): ApiError {
  return new ApiError({
    status: 0,
    reason: 'Aborted',
    message: 'The request was aborted.',
    verb: options.method,
    resource: options.resource,
    cause: options.signal?.reason,
  });
}
