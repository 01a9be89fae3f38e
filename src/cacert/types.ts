import type { ClockOffset } from '../http/clock-offset.ts';
import type { CallOptions, ClientOptions } from '../http/types.ts';

/**
 * The login of a member. Blanks and line ends around either part, which are common in files and Secrets, are not sent: the
 * web site trims a password before it stores its digest, but the API does not. A password with a backslash works on the
 * web site but probably never here.
 */
export interface CAcertCredentials {
  /** The primary e-mail address of the account. */
  username: string;
  /** The password of the web site. It is sent in the body of each request and appears nowhere else. */
  password: string;
}

export interface CAcertClientOptions extends ClientOptions {
  credentials: CAcertCredentials;
  /** Trusts the system's authorities in addition to those of `ca`: CAcert may use a certificate of either. */
  systemCa?: boolean | undefined;
  /** The most milliseconds `getAccount` may take, from queueing to the last byte. Default: 30,000. */
  accountDeadlineMs?: number | undefined;
  /** The same for `signCertificate`. At least 90,000. Default: 120,000. */
  signingDeadlineMs?: number | undefined;
}

/** The encoding of a text in CAcert's database. CAcert compares bytes, so a text must be sent back in the same encoding. */
export type TextEncoding = 'utf8' | 'latin1';

/** What CAcert reports about an account. */
export interface AccountDetails {
  /**
   * Whether the account has the right to code signing. A certificate for code signing also requires 100 assurance points,
   * which CAcert does not report.
   */
  codeSigning: boolean;
  /**
   * The names that certificates may have, spelled exactly as in CAcert's database. Empty below 50 assurance points.
   * `anonymousName` is left out, because every account has it.
   */
  names: string[];
  /** The verified e-mail addresses, in no defined order. */
  emails: string[];
  /** The encoding of names and addresses: ISO-8859-1 if they are not valid UTF-8. */
  encoding: TextEncoding;
}

export interface SignCertificateInput {
  /**
   * One PKCS#10 request as PEM. CAcert uses only its public key: RSA, at least 2048 bits, exponent 65537 or more. CAcert
   * does not report a wrong signature of the request, so verify that first.
   */
  csr: string;
  /**
   * At least one address, in the spelling that the certificate should have. CAcert silently drops addresses that are not
   * verified for the account, and refuses the request only if none is left.
   */
  emails: readonly string[];
  /**
   * Exactly one of `AccountDetails.names`. For any other name, and for one with an apostrophe or a backslash, CAcert
   * silently issues the certificate for `anonymousName`.
   */
  name?: string | undefined;
  /** The encoding for name and addresses. Pass `AccountDetails.encoding`; otherwise a name may not match. Default: `utf8`. */
  encoding?: TextEncoding | undefined;
  /** Requests a certificate for code signing. Without the right to it, CAcert silently issues an ordinary certificate. */
  codeSigning?: boolean | undefined;
}

export interface SignedCertificate {
  /** The certificate as PEM, without that of its issuer. */
  certificate: string;
}

/**
 * A client of one CAcert account. Each method makes one request. It rejects with a `CAcertError`, or with the error that the
 * caller's own `beforeSend` threw. Nothing is ever retried.
 */
export interface CAcertClient {
  /** Gets the names, addresses and rights of the account (`cemails.php`). It is quick and changes nothing. */
  getAccount(options?: CallOptions): Promise<AccountDetails>;
  /**
   * Has a certificate signed (`ccsr.php`), which takes 10 to 40 seconds or more. Not idempotent: each accepted call is one
   * more certificate, which no call can fetch again or revoke. Check the result; see `SignCertificateInput`.
   */
  signCertificate(input: SignCertificateInput, options?: CallOptions): Promise<SignedCertificate>;
  /** The difference between the service's clock and ours, measured by its answers. Undefined before the first answer. */
  clockOffset(): ClockOffset | undefined;
  /** Closes the connections. Calls in progress fail with `Closed`. */
  close(): Promise<void>;
}
