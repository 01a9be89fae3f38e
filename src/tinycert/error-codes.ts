import { type CodeEntry, kindOfBareStatus, transportCodes } from '../http/error-codes.ts';

/** How the caller should react to a failed call. */
export type TinyCertErrorKind =
  /** An outage or a temporary fault: try again later. */
  | 'passing'
  /** The service refuses the login: a person has to check the credentials. */
  | 'credentials'
  /** The service refuses the request itself: another try with the same values is pointless. */
  | 'input'
  /** The authority or certificate does not exist, or belongs to another account. */
  | 'not-found'
  /** Too many requests: wait; see `retryAfterMs`. */
  | 'rate-limit'
  /** The endpoint does not behave like the TinyCert API, or its certificate is not trusted. */
  | 'protocol';

type Entry = CodeEntry<TinyCertErrorKind>;

/** A code in the answers of TinyCert. */
interface UpstreamEntry extends Entry {
  /** Whether the code proves that the call did nothing: TinyCert checks before it acts what the code complains of. */
  readonly provesNothingDone: boolean;
}

/** The codes in the answers of TinyCert (docs/adr/0017 says why each proves something or not). */
const upstream = {
  AccessDenied: {
    kind: 'not-found',
    provesNothingDone: true,
    message:
      'TinyCert refuses access: the authority or certificate belongs to another account. Check the id.',
  },
  AccountError: {
    kind: 'passing',
    provesNothingDone: false,
    message: 'TinyCert reports that the data of the account is corrupt. Contact its support if this lasts.',
  },
  AccountNotFound: {
    kind: 'credentials',
    provesNothingDone: true,
    message: 'TinyCert knows no account with this e-mail address. Check the address.',
  },
  AccountNotLoaded: {
    kind: 'passing',
    provesNothingDone: false,
    message: 'TinyCert could not load the data of the account. Contact its support if this lasts.',
  },
  ApiKeyMismatch: {
    kind: 'credentials',
    provesNothingDone: true,
    message: 'TinyCert refuses the signature of the login. Check that the API key belongs to this account.',
  },
  InputFailure: {
    kind: 'input',
    provesNothingDone: true,
    message:
      'TinyCert refuses the value of a parameter. Check the names and the subject that were asked for.',
  },
  InvalidToken: {
    kind: 'passing',
    provesNothingDone: true,
    message: 'The TinyCert session ended twice in a row. Check whether another program ends it.',
  },
  MethodDisallowed: {
    kind: 'protocol',
    provesNothingDone: true,
    message: 'TinyCert did not receive a POST. Check whether a proxy rewrites requests.',
  },
  MissingParameter: {
    kind: 'input',
    provesNothingDone: true,
    message: 'A parameter that TinyCert requires is missing. Check that the subject is complete.',
  },
  NotFound: {
    kind: 'not-found',
    provesNothingDone: true,
    message: 'TinyCert knows no authority or certificate with this id. It may have been deleted.',
  },
  NotLatest: {
    kind: 'input',
    provesNothingDone: true,
    message: 'The certificate was already reissued under a newer id. Use the newest one.',
  },
  PassphraseFailure: {
    kind: 'credentials',
    provesNothingDone: false,
    message: 'TinyCert refuses the passphrase. It is the one that encrypts the keys, not the web password.',
  },
  RateLimitExceeded: {
    kind: 'rate-limit',
    provesNothingDone: true,
    message: 'TinyCert refuses more requests for now. Send fewer, or wait.',
  },
  SessionError: {
    kind: 'passing',
    provesNothingDone: true,
    message: 'TinyCert could not set up the session. Contact its support if this lasts.',
  },
  SignatureFailure: {
    kind: 'credentials',
    provesNothingDone: true,
    message: 'TinyCert refuses the signature of the request. Check the API key.',
  },
  StatusDisallowed: {
    kind: 'input',
    provesNothingDone: true,
    message: 'The certificate cannot change to this status: it has expired or was replaced.',
  },
  UnknownError: {
    kind: 'passing',
    provesNothingDone: false,
    message: 'TinyCert failed without giving a reason. Contact its support if this lasts.',
  },
} as const satisfies Record<string, UpstreamEntry>;

/** The codes of the client itself. */
const local = {
  ...transportCodes('TinyCert'),
  UnrecognizedCode: {
    kind: 'protocol',
    message: 'TinyCert answered with an error code that this client does not know.',
  },
} as const satisfies Record<string, Entry>;

/** A code in a TinyCert error reply. */
export type UpstreamErrorCode = keyof typeof upstream;

/** Every value of `TinyCertError.code`: the codes of the service and those of this client. */
export type TinyCertErrorCode = UpstreamErrorCode | keyof typeof local;

const entries: Readonly<Record<TinyCertErrorCode, Entry>> = { ...upstream, ...local };

/** Whether TinyCert documents this code. */
export function isUpstreamCode(code: string): code is UpstreamErrorCode {
  return Object.hasOwn(upstream, code);
}

/** Whether a code in an answer proves that the call did nothing. A code that nobody knows proves nothing. */
export function provesNothingDone(code: string): boolean {
  return isUpstreamCode(code) && upstream[code].provesNothingDone;
}

/** The fixed sentence for a code. */
export function messageOf(code: TinyCertErrorCode): string {
  return entries[code].message;
}

/**
 * The kind of an error. The credentials are the only input of `connect`, so a fault of its input is a fault of the
 * credentials. It names no authority and no certificate, so that none is found is an answer that makes no sense, and says nothing
 * of what the call after it is about. The HTTP status decides for codes without a fixed meaning.
 */
export function kindOf(code: TinyCertErrorCode, call: string, status: number | undefined): TinyCertErrorKind {
  const kind = kindOfAny(code, status);
  if (call !== 'connect') return kind;
  if (kind === 'input' || code === 'AccessDenied') return 'credentials';
  return kind === 'not-found' ? 'protocol' : kind;
}

function kindOfAny(code: TinyCertErrorCode, status: number | undefined): TinyCertErrorKind {
  if (code === 'UnrecognizedCode') return kindOfCodedStatus(status);
  if (code === 'UnexpectedStatus') return kindOfBareStatus(status);
  return entries[code].kind;
}

/** The kind for an unknown code. It came from the API, so its status has the meaning that the API gives it. */
function kindOfCodedStatus(status: number | undefined): TinyCertErrorKind {
  if (status === 403 || status === 401) return 'credentials';
  if (status === 404) return 'not-found';
  if (status === 400) return 'input';
  return kindOfBareStatus(status);
}
