import type { ApiError, ApiErrorDetails } from './errors.ts';

/** What a code stands for. */
export interface CodeEntry<Kind extends string> {
  readonly kind: Kind;
  /** A fixed sentence. */
  readonly message: string;
}

/** What a failure below the API asks of the caller: see the kinds of each client. */
export type TransportErrorKind = 'passing' | 'input' | 'rate-limit' | 'protocol';

/** The codes that every client has, as they are not the service's own. */
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

/** Makes the error of a client for a failure that is found below it. */
export type ErrorMaker = (code: TransportErrorCode, details: ApiErrorDetails) => ApiError;

/** The common codes, in words about the service of this name. */
export function transportCodes(
  service: string,
): Readonly<Record<TransportErrorCode, CodeEntry<TransportErrorKind>>> {
  return {
    Aborted: { kind: 'passing', message: 'The call was given up by its caller.' },
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
      message: 'The call was not made, because one of its values cannot be sent.',
    },
    InvalidOptions: {
      kind: 'input',
      message: `The ${service} client cannot be made with these options.`,
    },
    ProtocolError: {
      kind: 'protocol',
      message: `What answered does not speak the ${service} API. Check the endpoint and any proxy before it.`,
    },
    TlsFailure: {
      kind: 'protocol',
      message:
        'The TLS connection is not trusted. Check the endpoint host name, the CA bundle and the clock.',
    },
    UnexpectedStatus: {
      kind: 'protocol',
      message: `The endpoint answered an HTTP error without a ${service} code. Check what stands before it.`,
    },
  };
}

/**
 * The class of an HTTP error that does not come from the API itself. It may come from anything on the way: its 404 must
 * not read as "the certificate is gone".
 */
export function kindOfBareStatus(status: number | undefined): TransportErrorKind {
  if (status === 429) return 'rate-limit';
  if (status !== undefined && (status >= 500 || status === 408)) return 'passing';
  return 'protocol';
}
