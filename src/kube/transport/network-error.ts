import { asError, clip } from '../../lib/errors.ts';
import { ApiError } from '../errors.ts';

/** What undici, Node's sockets or TLS reported, as an `ApiError` with the reason that callers branch on. */
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
  Aborted: 'The connection to the API server was closed by this program.',
  ProtocolError: 'The answer is not proper HTTP.',
};

function reasonOf(system: string | undefined): Reason {
  if (system === undefined) return 'ConnectionFailed';
  if (system === 'UND_ERR_DESTROYED' || system === 'UND_ERR_CLOSED') return 'Aborted';
  if (system === 'UND_ERR_HEADERS_OVERFLOW') return 'ProtocolError';
  return 'ConnectionFailed';
}

/** The code of the error or, where several addresses were tried, of the first that has one. */
function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (!(error instanceof AggregateError)) return undefined;
  return error.errors.map((inner) => codeOf(asError(inner))).find((code) => code !== undefined);
}

/** Codes that Node gives when the server's certificate is not what the trusted CAs vouch for. */
const TRUST = /^(ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|HOSTNAME_MISMATCH|ERR_SSL_)/;

/** Whether a newer CA file or client certificate could mend it. */
export function isTrustFailure(error: unknown): boolean {
  return error instanceof ApiError && error.system !== undefined && TRUST.test(error.system);
}

/** The error without its extra properties: a parser error of undici carries the bytes it choked on, which may be a Secret. */
function bare(error: Error): Error {
  const copy = new Error(clip(error.message));
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}
