import type { ErrorMaker } from '../http/error-codes.ts';
import { ApiError, type ApiErrorDetails } from '../http/errors.ts';
import { type CAcertErrorCode, type CAcertErrorKind, kindOf, messageOf } from './error-codes.ts';
import { type KeyRefusal, sentenceOf } from './key-refusals.ts';

/** The paths of the two calls, below the endpoint. */
export const accountCall = 'cemails.php';
export const signingCall = 'ccsr.php';

/** What is known of a failed call besides its code. */
export interface CAcertErrorDetails extends ApiErrorDetails {
  /** CAcert's number of a request that is not signed yet. */
  requestId?: number | undefined;
  /** Why a key is refused. */
  refusal?: KeyRefusal | undefined;
  /** The explanation in the answer, already clipped and free of tags and secrets. */
  text?: string | undefined;
}

/**
 * The one error of this client. Branch on `kind`, or on `code` for a single case. The message is a fixed sentence for
 * each code; nothing in it comes from the service. `maybeExecuted` is never true for `cemails.php`, whose repetition
 * harms nothing.
 */
export class CAcertError extends ApiError {
  declare readonly code: CAcertErrorCode;
  readonly kind: CAcertErrorKind;
  /**
   * The number of a request that CAcert has not signed yet. If it does, the certificate stands at
   * `https://www.cacert.org/account.php?id=6&cert=<number>` for the logged-in member.
   */
  readonly requestId: number | undefined;
  /** Why a key is refused; of `KeyRefused` only. */
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
   * The explanation that came with a refusal: clipped, without tags, and withheld when it repeats the password. An
   * accessor, so that a logger that prints an error's own properties does not print what a remote party wrote.
   */
  get text(): string | undefined {
    return this.#text;
  }
}

/** Makes the errors of what lies below this client. */
export const makeError: ErrorMaker = (code, details) => new CAcertError(code, details);

/** An options error, with what is wrong in words of our own. */
export function invalidOptions(detail: string): CAcertError {
  return new CAcertError('InvalidOptions', { call: 'createCAcertClient', detail });
}
