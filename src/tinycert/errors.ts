import type { ErrorMaker } from '../http/error-codes.ts';
import { ApiError, type ApiErrorDetails } from '../http/errors.ts';
import { kindOf, messageOf, type TinyCertErrorCode, type TinyCertErrorKind } from './error-codes.ts';

/** What is known of a failed call besides its code. */
export interface TinyCertErrorDetails extends ApiErrorDetails {
  /** The parameter that the service complains of. */
  parameter?: string | undefined;
  /** The code as it came, if this client does not know it. */
  upstreamCode?: string | undefined;
  /** The explanation in the answer, already clipped and free of secrets. */
  text?: string | undefined;
}

/**
 * The one error of this client. Branch on `kind`, or on `code` for a single case. The message is a fixed sentence for
 * each code; nothing in it comes from the service. `maybeExecuted` is never true for `connect`, whose repetition harms
 * nothing.
 */
export class TinyCertError extends ApiError {
  declare readonly code: TinyCertErrorCode;
  readonly kind: TinyCertErrorKind;
  readonly parameter: string | undefined;
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
   * The explanation that came with the answer: clipped, and withheld when it repeats a secret. An accessor, so that a
   * logger that prints an error's own properties does not print what a remote party wrote.
   */
  get text(): string | undefined {
    return this.#text;
  }
}

/** Makes the errors of what lies below this client. */
export const makeError: ErrorMaker = (code, details) => new TinyCertError(code, details);

/** An options error, with what is wrong in words of our own. */
export function invalidOptions(detail: string): TinyCertError {
  return new TinyCertError('InvalidOptions', { call: 'createTinyCertClient', detail });
}
