import { type CodeEntry, kindOfBareStatus, transportCodes } from '../http/error-codes.ts';
import type { KeyRefusal } from './key-refusals.ts';

/** How the caller should react to a failed call. */
export type CAcertErrorKind =
  /** An outage or a temporary fault: try again later. Check `maybeExecuted` before requesting a certificate again. */
  | 'passing'
  /** CAcert refuses the login. Its database may also be down: try again, but slowly. */
  | 'credentials'
  /** CAcert refuses the request itself: another try with the same values is pointless. */
  | 'input'
  /** A certificate may exist now or later. No call can fetch it, but a person can on the web site. */
  | 'uncertain'
  /** Too many requests: wait; see `retryAfterMs`. */
  | 'rate-limit'
  /** The endpoint does not behave like the CAcert API, or its certificate is not trusted. */
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
      'CAcert accepted the request but returned no usable certificate. It may sign it later; check the client certificates of the account.',
  },
  KeyRefused: {
    kind: 'input',
    message:
      'CAcert refuses the key. It accepts RSA keys of at least 2048 bits with an exponent of at least 65537.',
  },
} as const satisfies Record<string, Entry>;

/** Every value of `CAcertError.code`. */
export type CAcertErrorCode = keyof typeof codes;

const entries: Readonly<Record<CAcertErrorCode, Entry>> = codes;

/** The fixed sentence for a code. */
export function messageOf(code: CAcertErrorCode): string {
  return entries[code].message;
}

/** The kind of an error. If CAcert's own check of the key failed, it may succeed later. */
export function kindOf(
  code: CAcertErrorCode,
  status: number | undefined,
  refusal: KeyRefusal | undefined,
): CAcertErrorKind {
  if (code === 'UnexpectedStatus') return kindOfBareStatus(status);
  if (refusal === 'CheckFailed') return 'passing';
  return entries[code].kind;
}
