import { AppError } from '../lib/errors.ts';
import { kindOf, messageOf, type TinyCertErrorCode, type TinyCertErrorKind } from './error-codes.ts';

/** What is known of a failed call besides its code. */
export interface TinyCertErrorDetails {
  /** The API path of the call, as in `cert/new`. */
  call: string;
  /** The HTTP status, if there was an answer. */
  status?: number | undefined;
  /** How long the answer asks to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** Whether the service may have carried out the call all the same. */
  maybeExecuted?: boolean | undefined;
  /** The parameter that the service complains of. */
  parameter?: string | undefined;
  /** What exactly is wrong, in words of this client. */
  detail?: string | undefined;
  /** The code as it came, if this client does not know it. */
  upstreamCode?: string | undefined;
  /** The explanation in the answer, already clipped and free of secrets. */
  text?: string | undefined;
  /** The underlying error. Must hold nothing of the request. */
  cause?: unknown;
}

/**
 * The one error of this client. Branch on `kind`, or on `code` for a single case. The message is a fixed sentence for
 * each code; nothing in it comes from the service.
 */
export class TinyCertError extends AppError {
  declare readonly code: TinyCertErrorCode;
  readonly kind: TinyCertErrorKind;
  readonly call: string;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /**
   * True when bytes of the request may have left and no answer decided it: the service may have done what was asked.
   * Never true for `connect`, whose repetition harms nothing.
   */
  readonly maybeExecuted: boolean;
  readonly parameter: string | undefined;
  readonly detail: string | undefined;
  readonly upstreamCode: string | undefined;
  readonly #text: string | undefined;

  constructor(code: TinyCertErrorCode, details: TinyCertErrorDetails) {
    super(code, messageOf(code), details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kindOf(code, details.call, details.status);
    this.call = details.call;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.maybeExecuted = (details.maybeExecuted ?? false) && details.call !== 'connect';
    this.parameter = details.parameter;
    this.detail = details.detail;
    this.upstreamCode = details.upstreamCode;
    this.#text = details.text;
  }

  /**
   * The explanation that came with the answer: clipped, and withheld when it repeats a secret. An accessor, so that a
   * logger that prints an error's own properties does not print what a remote party wrote.
   */
  get text(): string | undefined {
    return this.#text;
  }
}

const refusedByGate = new WeakSet<Error>();

/** Notes that this error was thrown by a send gate, before any byte of the request left. */
export function markNotSent(error: Error): void {
  refusedByGate.add(error);
}

/**
 * Whether the call that failed with `error` may have been carried out by the service. False for an error that the
 * caller's own `beforeSend` threw; true for any error this client knows nothing of.
 */
export function maybeExecuted(error: unknown): boolean {
  if (error instanceof TinyCertError) return error.maybeExecuted;
  return !(error instanceof Error && refusedByGate.has(error));
}
