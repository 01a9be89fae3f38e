import { AppError } from '../lib/errors.ts';

/** The facts about a failed call besides its code. */
export interface ApiErrorDetails {
  /** The path of the call below the endpoint, as in `cert/new`. */
  call: string;
  /** The HTTP status, if there was an answer. */
  status?: number | undefined;
  /** The wait that the answer asks for, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** Whether the service may have executed the call all the same. */
  maybeExecuted?: boolean | undefined;
  /** What exactly is wrong. Written by this client, never quoted from the service. */
  detail?: string | undefined;
  /** The underlying error. It must not contain anything of the request. */
  cause?: unknown;
}

/** The base of all client errors. Each code has one fixed message; nothing in it comes from the service. */
export abstract class ApiError extends AppError {
  /** How the caller should react. */
  abstract readonly kind: string;
  readonly call: string;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** True if bytes of the request may have left and no answer settled its outcome: the service may have executed the call. */
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

/** Marks an error that a send gate threw before any byte of the request left. */
export function markNotSent(error: Error): void {
  refusedByGate.add(error);
}

/**
 * Whether the service may have executed the call that failed with `error`. False for an error that the caller's own
 * `beforeSend` threw; true for any error that does not come from a client of this package.
 */
export function maybeExecuted(error: unknown): boolean {
  if (error instanceof ApiError) return error.maybeExecuted;
  return !(error instanceof Error && refusedByGate.has(error));
}
