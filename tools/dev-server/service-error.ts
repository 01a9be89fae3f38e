/** The service's refusals and their HTTP statuses, including those that only its PHP client names. */
export const STATUS_OF_CODE = {
  AccessDenied: 403,
  AccountError: 500,
  AccountNotFound: 404,
  AccountNotLoaded: 500,
  ApiKeyMismatch: 403,
  InputFailure: 400,
  InvalidToken: 403,
  MethodDisallowed: 400,
  MissingParameter: 400,
  NotFound: 404,
  NotLatest: 400,
  PassphraseFailure: 403,
  RateLimitExceeded: 429,
  SessionError: 403,
  SignatureFailure: 403,
  StatusDisallowed: 400,
  UnknownError: 500,
} as const;

export type ServiceErrorCode = keyof typeof STATUS_OF_CODE;

/** A refusal: answered as `{"code", "text"}`. */
export class ServiceError extends Error {
  readonly code: ServiceErrorCode;

  constructor(code: ServiceErrorCode, text: string) {
    super(text);
    this.name = 'ServiceError';
    this.code = code;
  }

  get status(): number {
    return STATUS_OF_CODE[this.code];
  }
}

/** `MissingParameter`; the text names the parameter, as at the service. */
export function missing(parameter: string): ServiceError {
  return new ServiceError('MissingParameter', `The parameter '${parameter}' is missing`);
}

/** `InputFailure`; the text names the parameter, as at the service. */
export function illegal(parameter: string, reason: string): ServiceError {
  return new ServiceError('InputFailure', `The parameter '${parameter}' has an illegal value: ${reason}`);
}
