import type { ErrorMaker } from '../http/error-codes.ts';
import { ApiError, type ApiErrorDetails } from '../http/errors.ts';
import { kindOf, messageOf, type TinyCertErrorCode, type TinyCertErrorKind } from './error-codes.ts';

/** The facts about a failed call besides its code. */
export interface TinyCertErrorDetails extends ApiErrorDetails {
  /** The parameter that the service refuses. */
  parameter?: string | undefined;
  /** The code in the answer, if this client does not know it. */
  upstreamCode?: string | undefined;
  /** The explanation in the answer, clipped and free of secrets. */
  text?: string | undefined;
}

/**
 * The error of every call. Branch on `kind`, or on `code` for a single case. Each code has one fixed message; nothing in it
 * comes from the service. `maybeExecuted` is never true for `connect`, because repeating a login is harmless.
 */
export class TinyCertError extends ApiError {
  declare readonly code: TinyCertErrorCode;
  readonly kind: TinyCertErrorKind;
  /** The parameter that the service refuses; with `InputFailure` and `MissingParameter` only. */
  readonly parameter: string | undefined;
  /** The code in the answer; with `UnrecognizedCode` only. */
  readonly upstreamCode: string | undefined;
  readonly #text: string | undefined;

  constructor(code: TinyCertErrorCode, details: TinyCertErrorDetails) {
    const maybeExecuted = (details.maybeExecuted ?? false) && details.call !== 'connect';
    super(code, messageOf(code), { ...details, maybeExecuted });
    this.kind = kindOf(code, details.call, details.status);
    this.parameter = details.parameter;
    this.upstreamCode = details.upstreamCode;
    this.#text = details.text;
  }

  /**
   * The explanation in the answer, clipped; undefined if it repeats a secret. It is an accessor, so a logger that prints
   * the own properties of an error does not print a text of a remote party.
   */
  get text(): string | undefined {
    return this.#text;
  }
}

/** Creates the errors for failures below the API. */
export const makeError: ErrorMaker = (code, details) => new TinyCertError(code, details);

/** Creates an options error. `detail` says what is wrong and contains no value of an option. */
export function invalidOptions(detail: string): TinyCertError {
  return new TinyCertError('InvalidOptions', { call: 'createTinyCertClient', detail });
}
