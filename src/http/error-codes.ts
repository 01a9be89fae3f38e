import type { ApiError, ApiErrorDetails } from './errors.ts';

/** The meaning of a code. */
export interface CodeEntry<Kind extends string> {
  readonly kind: Kind;
  /** A fixed sentence. */
  readonly message: string;
}

/** How the caller should react to a failure below the API; see the kinds of each client. */
export type TransportErrorKind = 'passing' | 'input' | 'rate-limit' | 'protocol';

/** The codes that every client has. They do not come from the service. */
export type TransportErrorCode =
  | 'Aborted'
  | 'Closed'
  | 'ConnectionFailed'
  | 'ConnectionLost'
  | 'DeadlineExceeded'
  | 'InvalidInput'
  | 'InvalidOptions'
  | 'ProtocolError'
  | 'TlsFailure'
  | 'UnexpectedStatus';

/** Creates a client's error for a failure below the API. */
export type ErrorMaker = (code: TransportErrorCode, details: ApiErrorDetails) => ApiError;

/** The common codes, with messages that name the service. */
export function transportCodes(
  service: string,
): Readonly<Record<TransportErrorCode, CodeEntry<TransportErrorKind>>> {
  return {
    Aborted: { kind: 'passing', message: 'The caller aborted the call.' },
    Closed: { kind: 'passing', message: `The ${service} client is closed.` },
    ConnectionFailed: {
      kind: 'passing',
      message: `No connection to the ${service} endpoint. Check its address, DNS, the network policy and the proxy.`,
    },
    ConnectionLost: {
      kind: 'passing',
      message: `The connection to the ${service} endpoint broke before the answer was complete.`,
    },
    DeadlineExceeded: {
      kind: 'passing',
      message: `The ${service} endpoint did not answer in time.`,
    },
    InvalidInput: {
      kind: 'input',
      message: 'The call was not made because one of its values cannot be sent.',
    },
    InvalidOptions: {
      kind: 'input',
      message: `The ${service} client cannot be created with these options.`,
    },
    ProtocolError: {
      kind: 'protocol',
      message: `The endpoint does not speak the ${service} API. Check its address and any proxy in front of it.`,
    },
    TlsFailure: {
      kind: 'protocol',
      message:
        'The TLS connection is not trusted. Check the endpoint host name, the CA bundle and the clock.',
    },
    UnexpectedStatus: {
      kind: 'protocol',
      message: `The endpoint answered with an HTTP error that has no ${service} code. Check any proxy in front of it.`,
    },
  };
}

/**
 * The kind of an HTTP error that does not come from the API itself but from anything in between. A 404 of a proxy, for
 * example, must not mean "the certificate does not exist".
 */
export function kindOfBareStatus(status: number | undefined): TransportErrorKind {
  if (status === 429) return 'rate-limit';
  if (status !== undefined && (status >= 500 || status === 408)) return 'passing';
  return 'protocol';
}
