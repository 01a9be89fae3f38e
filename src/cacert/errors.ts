import type { ErrorMaker } from '../http/error-codes.ts';
import { ApiError, type ApiErrorDetails } from '../http/errors.ts';
import { type CAcertErrorCode, type CAcertErrorKind, kindOf, messageOf } from './error-codes.ts';
import { type KeyRefusal, sentenceOf } from './key-refusals.ts';

/** The paths of the two calls, below the endpoint. */
export const accountCall = 'cemails.php';
export const signingCall = 'ccsr.php';

/** The facts about a failed call besides its code. */
export interface CAcertErrorDetails extends ApiErrorDetails {
  /** CAcert's number of a request that it has not signed yet. */
  requestId?: number | undefined;
  /** Why CAcert refused the key. */
  refusal?: KeyRefusal | undefined;
  /** The explanation in the answer, clipped and free of tags and secrets. */
  text?: string | undefined;
}

/**
 * The error of every call. Branch on `kind`, or on `code` for a single case. Each code has one fixed message; nothing in it
 * comes from the service. `maybeExecuted` is never true for `cemails.php`, because repeating that call is harmless.
 */
export class CAcertError extends ApiError {
  declare readonly code: CAcertErrorCode;
  readonly kind: CAcertErrorKind;
  /**
   * The number of a request that CAcert has not signed yet. If CAcert signs it, the logged-in member finds the certificate
   * at `https://www.cacert.org/account.php?id=6&cert=<number>`.
   */
  readonly requestId: number | undefined;
  /** Why CAcert refused the key; with `KeyRefused` only. */
  readonly refusal: KeyRefusal | undefined;
  readonly #text: string | undefined;

  constructor(code: CAcertErrorCode, details: CAcertErrorDetails) {
    const { call, status, refusal } = details;
    super(code, messageOf(code), {
      ...details,
      detail: details.detail ?? (refusal && sentenceOf(refusal)),
      maybeExecuted: (details.maybeExecuted ?? false) && call !== accountCall,
    });
    this.kind = kindOf(code, status, refusal);
    this.requestId = details.requestId;
    this.refusal = refusal;
    this.#text = details.text;
  }

  /**
   * The explanation in a refusal, clipped and without tags; undefined if it repeats the password. It is an accessor, so a
   * logger that prints the own properties of an error does not print a text of a remote party.
   */
  get text(): string | undefined {
    return this.#text;
  }
}

/** Creates the errors for failures below the API. */
export const makeError: ErrorMaker = (code, details) => new CAcertError(code, details);

/** Creates an options error. `detail` says what is wrong and contains no value of an option. */
export function invalidOptions(detail: string): CAcertError {
  return new CAcertError('InvalidOptions', { call: 'createCAcertClient', detail });
}
