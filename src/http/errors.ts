import { AppError } from '../lib/errors.ts';

/** What is known of a failed call besides its code. */
export interface ApiErrorDetails {
  /** The path of the call below the endpoint, as in `cert/new`. */
  call: string;
  /** The HTTP status, if there was an answer. */
  status?: number | undefined;
  /** How long the answer asks to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** Whether the service may have carried out the call all the same. */
  maybeExecuted?: boolean | undefined;
  /** What exactly is wrong, in words of this client. */
  detail?: string | undefined;
  /** The underlying error. Must hold nothing of the request. */
  cause?: unknown;
}

/**
 * What the errors of all clients have in common. The message is a fixed sentence for each code; nothing in it comes
 * from the service.
 */
export abstract class ApiError extends AppError {
  /** What the failure asks of the caller. */
  abstract readonly kind: string;
  readonly call: string;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** True when bytes of the request may have left and no answer decided it: the service may have done what was asked. */
  readonly maybeExecuted: boolean;
  readonly detail: string | undefined;

  constructor(code: string, message: string, details: ApiErrorDetails) {
    super(code, message, details.cause === undefined ? undefined : { cause: details.cause });
    this.call = details.call;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.maybeExecuted = details.maybeExecuted ?? false;
    this.detail = details.detail;
  }
}

const refusedByGate = new WeakSet<Error>();

/** Notes that this error was thrown by a send gate, before any byte of the request left. */
export function markNotSent(error: Error): void {
  refusedByGate.add(error);
}

/**
 * Whether the call that failed with `error` may have been carried out by the service. False for an error that the
 * caller's own `beforeSend` threw; true for any error that no client of this package made.
 */
export function maybeExecuted(error: unknown): boolean {
  if (error instanceof ApiError) return error.maybeExecuted;
  return !(error instanceof Error && refusedByGate.has(error));
}
