import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { asError } from '../lib/errors.ts';
import type { ErrorMaker, TransportErrorCode } from './error-codes.ts';
import { type ApiError, type ApiErrorDetails, markNotSent } from './errors.ts';
import { type Cleaner, safeCause } from './secrecy.ts';

/** A complete reply. `body` is empty if the request had a sink and the status was 200. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The parts of a request that its exchange needs. */
export interface ExchangeRequest {
  readonly call: string;
  /** Aborts the exchange. It belongs to this call alone; the reason `DeadlinePassed` stands for the deadline. */
  readonly signal: AbortSignal;
  readonly beforeSend: (() => void) | undefined;
  /** The most bytes of a reply. */
  readonly maxBytes: number;
  /** Receives the body of a 200 as it arrives. An error that it throws ends the exchange with that error. */
  readonly sink: ((chunk: Buffer) => void) | undefined;
}

/** The parts of a client that its exchanges need. */
export interface ExchangeContext {
  readonly clean: Cleaner;
  readonly makeError: ErrorMaker;
}

/** The abort reason of a deadline. */
export class DeadlinePassed extends Error {}

/** The abort reason of a closing client for waiting calls. */
export class ClientClosed extends Error {}

/** The most bytes of an error reply of any call. */
const maxErrorBytes = 1024 * 1024;

/**
 * One request on its way through undici, with its send gate and its size limit. It knows whether bytes have left.
 *
 * undici 8 calls `onRequestStart` from `writeH1` (lib/dispatcher/client-h1.js) when a connection is up and free, and
 * writes the head and a Buffer body in the same synchronous run. An error thrown there fails the request before the
 * socket is touched, so the connection stays usable; `controller.abort` would destroy it.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly reply: Promise<Reply>;
  #resolve!: (reply: Reply) => void;
  #reject!: (error: Error) => void;
  readonly #request: ExchangeRequest;
  readonly #context: ExchangeContext;
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #sent = false;
  #status: number | undefined;
  #headers: IncomingHttpHeaders = {};
  #limit: number;
  #received = 0;
  #chunks: Buffer[] = [];

  constructor(request: ExchangeRequest, context: ExchangeContext) {
    this.#request = request;
    this.#context = context;
    this.#limit = request.maxBytes;
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (request.signal.aborted) this.#onAbort();
    // The signal belongs to this call, so the listener is collected with it.
    else request.signal.addEventListener('abort', this.#onAbort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It was aborted in the queue: nothing may be written any more.
    if (this.#settled) throw new Error('The request was aborted.');
    if (this.#sent) {
      // undici must not put a request on the wire twice.
      this.#fail(this.#error('ConnectionLost'));
      throw new Error('The request was already sent.');
    }
    try {
      this.#request.beforeSend?.();
    } catch (thrown) {
      const error = asError(thrown);
      markNotSent(error);
      this.#fail(error);
      throw error;
    }
    if (this.#settled) throw new Error('The send gate aborted the request.');
    this.#sent = true;
    this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    if (status !== 200) this.#limit = Math.min(this.#limit, maxErrorBytes);
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity')
      this.#cut(
        this.#error('ProtocolError', {
          detail: 'The reply is compressed although no compression was requested.',
        }),
      );
    else if (Number(headers['content-length']) > this.#limit) this.#cut(this.#oversize());
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    this.#received += chunk.length;
    if (this.#received > this.#limit) {
      this.#cut(this.#oversize());
    } else if (this.#request.sink && this.#status === 200) {
      try {
        this.#request.sink(chunk);
      } catch (thrown) {
        this.#cut(asError(thrown));
      }
    } else {
      this.#chunks.push(chunk);
    }
  }

  onResponseEnd(): void {
    if (this.#settled || this.#status === undefined) return;
    const [first, second] = this.#chunks;
    const body = first && !second ? first : Buffer.concat(this.#chunks);
    this.#settled = true;
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#settled) return;
    const cause = safeCause(error, this.#context.clean);
    this.#fail(this.#error(codeOf(error, this.#sent), { cause }));
  }

  readonly #onAbort = (): void => {
    if (this.#settled) return;
    this.#cut(
      abortError(this.#context.makeError, this.#request.signal.reason, {
        call: this.#request.call,
        status: this.#status,
        maybeExecuted: this.#sent,
      }),
    );
  };

  #oversize(): ApiError {
    return this.#error('ProtocolError', { detail: `The reply is longer than ${this.#limit} bytes.` });
  }

  #error(code: TransportErrorCode, details?: Partial<ApiErrorDetails>): ApiError {
    return this.#context.makeError(code, {
      call: this.#request.call,
      status: this.#status,
      maybeExecuted: this.#sent,
      ...details,
    });
  }

  /** Fails the call and tears down the connection, because the rest of the reply is not wanted. */
  #cut(error: Error): void {
    this.#fail(error);
    this.#controller?.abort(error);
  }

  #fail(error: Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#reject(error);
  }
}

/** The error for a call that was aborted with `reason`. */
export function abortError(makeError: ErrorMaker, reason: unknown, details: ApiErrorDetails): ApiError {
  if (reason instanceof DeadlinePassed) return makeError('DeadlineExceeded', details);
  if (reason instanceof ClientClosed) return makeError('Closed', details);
  return makeError('Aborted', { ...details, cause: reason });
}

const tlsCodes =
  /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)_|CRL_|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH_|EPROTO|UND_ERR_PRX_TLS)/;

/** The code for a failure of undici or the network. */
function codeOf(error: Error, sent: boolean): TransportErrorCode {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return 'Closed';
  if (!sent) return tlsCodes.test(code) ? 'TlsFailure' : 'ConnectionFailed';
  // The parser's errors do not always have a code.
  if (error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW') return 'ProtocolError';
  return 'ConnectionLost';
}
