import { asError, clip } from '../../lib/errors.ts';
import { ApiError } from '../errors.ts';

/** Converts an error of undici, a socket or TLS into an `ApiError`, with a reason that callers branch on. */
export function networkError(thrown: unknown, request: { verb: string; resource: string }): ApiError {
  const error = asError(thrown);
  const system = codeOf(error);
  const reason = error.name === 'HTTPParserError' ? 'ProtocolError' : reasonOf(system);
  return new ApiError({
    status: 0,
    reason,
    message: MESSAGES[reason],
    ...request,
    ...(system === undefined ? {} : { system }),
    cause: bare(error),
  });
}

type Reason = 'ConnectionFailed' | 'Aborted' | 'ProtocolError';

const MESSAGES: Readonly<Record<Reason, string>> = {
  ConnectionFailed: 'The connection to the API server failed.',
  Aborted: 'The operator closed its connection to the API server.',
  ProtocolError: 'The answer of the API server is not valid HTTP.',
};

function reasonOf(system: string | undefined): Reason {
  if (system === undefined) return 'ConnectionFailed';
  if (system === 'UND_ERR_DESTROYED' || system === 'UND_ERR_CLOSED') return 'Aborted';
  if (system === 'UND_ERR_HEADERS_OVERFLOW') return 'ProtocolError';
  return 'ConnectionFailed';
}

/** The code of the error. If several addresses were tried, the first code among their errors. */
function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (!(error instanceof AggregateError)) return undefined;
  return error.errors.map((inner) => codeOf(asError(inner))).find((code) => code !== undefined);
}

/** Node's error codes for a server certificate that does not verify against the trusted certificates. */
const TRUST = /^(ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|HOSTNAME_MISMATCH|ERR_SSL_)/;

/** Whether a newer CA file or client certificate could resolve the error. */
export function isTrustFailure(error: unknown): boolean {
  return error instanceof ApiError && error.system !== undefined && TRUST.test(error.system);
}

/** The error without its extra properties: undici's parser error contains the bytes it failed on, which may be a Secret. */
function bare(error: Error): Error {
  const copy = new Error(clip(error.message));
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}
