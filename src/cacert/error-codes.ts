import { type CodeEntry, kindOfBareStatus, transportCodes } from '../http/error-codes.ts';
import type { KeyRefusal } from './key-refusals.ts';

/** What a failed call asks of the caller. */
export type CAcertErrorKind =
  /** An outage or a fault of the moment: try again later. Ask `maybeExecuted` before a certificate is asked for again. */
  | 'passing'
  /** The login is refused. It can also mean that CAcert's database is down: try again, but slowly. */
  | 'credentials'
  /** The request itself is refused: trying again with the same values is pointless. */
  | 'input'
  /** A certificate may exist or come into being later, and no call can fetch it: a person can, at the web site. */
  | 'uncertain'
  /** Too many requests: wait, see `retryAfterMs`. */
  | 'rate-limit'
  /** What answers does not behave like the CAcert API, or cannot be trusted to be it. */
  | 'protocol';

type Entry = CodeEntry<CAcertErrorKind>;

const codes = {
  ...transportCodes('CAcert'),
  CredentialsRejected: {
    kind: 'credentials',
    message:
      'CAcert refuses the login. Check user name (the primary e-mail address) and password; if both are right, CAcert may be out of order.',
  },
  CsrRefused: {
    kind: 'input',
    message: 'CAcert could not read the signing request.',
  },
  EmailRefused: {
    kind: 'input',
    message:
      'None of the e-mail addresses is verified for the CAcert account. Check them against the account.',
  },
  IssuanceUncertain: {
    kind: 'uncertain',
    message:
      'CAcert took the request and gave no usable certificate. It may sign it later; look at the client certificates of the account.',
  },
  KeyRefused: {
    kind: 'input',
    message: 'CAcert refuses the key. It takes RSA keys from 2048 bits, with an exponent from 65537.',
  },
} as const satisfies Record<string, Entry>;

/** Every value of `CAcertError.code`. */
export type CAcertErrorCode = keyof typeof codes;

const entries: Readonly<Record<CAcertErrorCode, Entry>> = codes;

/** The fixed sentence for a code. */
export function messageOf(code: CAcertErrorCode): string {
  return entries[code].message;
}

/** The class of an error; a check of the key that failed at CAcert itself may succeed later. */
export function kindOf(
  code: CAcertErrorCode,
  status: number | undefined,
  refusal: KeyRefusal | undefined,
): CAcertErrorKind {
  if (code === 'UnexpectedStatus') return kindOfBareStatus(status);
  if (refusal === 'CheckFailed') return 'passing';
  return entries[code].kind;
}
