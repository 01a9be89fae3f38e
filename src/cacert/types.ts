import type { ClockOffset } from '../http/clock-offset.ts';
import type { CallOptions, ClientOptions } from '../http/types.ts';

/**
 * A member's login. Both parts are sent without the blanks and line ends around them, as they often stand in a file or a
 * Secret: the web site trims a password before it keeps its digest, and the API does not. A password with a backslash
 * works at the web site and probably never here.
 */
export interface CAcertCredentials {
  /** The primary e-mail address of the account. */
  username: string;
  /** The password of the web site. Stands in the body of each request and nowhere else. */
  password: string;
}

export interface CAcertClientOptions extends ClientOptions {
  credentials: CAcertCredentials;
  /** Trusts the system's authorities beside those of `ca`: whose certificate the endpoint has is up to CAcert. */
  systemCa?: boolean | undefined;
  /** Milliseconds `getAccount` may take in all, from queueing to the last byte; 30,000 unless given. */
  accountDeadlineMs?: number | undefined;
  /** The same for `signCertificate`; 120,000 unless given, at least 90,000. */
  signingDeadlineMs?: number | undefined;
}

/** How CAcert's database holds a text. It compares bytes, so a text is sent back as it is held. */
export type TextEncoding = 'utf8' | 'latin1';

/** What CAcert tells about an account. */
export interface AccountDetails {
  /**
   * The right to code signing. It does not promise such a certificate: that takes 100 assurance points as well, and
   * CAcert tells nobody's points.
   */
  codeSigning: boolean;
  /**
   * The names that certificates may bear, spelled as CAcert keeps them. Empty below 50 assurance points. Without
   * `anonymousName`, which stands in every account.
   */
  names: string[];
  /** The verified e-mail addresses, in no defined order. */
  emails: string[];
  /** What names and addresses were read as: ISO-8859-1 if they are no UTF-8. */
  encoding: TextEncoding;
}

export interface SignCertificateInput {
  /**
   * PEM of one PKCS#10 request. CAcert takes only the public key from it: RSA, 2048 bits or more, exponent 65537 or
   * more. It does not say that the request's own signature is wrong, so verify it before.
   */
  csr: string;
  /**
   * At least one, in the spelling that the certificate is to have. CAcert drops those that are not verified for the
   * account, without a word unless none is left.
   */
  emails: readonly string[];
  /**
   * One of `AccountDetails.names`, to the byte. For any other, and for one with an apostrophe or a backslash, the
   * certificate bears `anonymousName`, without an error.
   */
  name?: string | undefined;
  /** How name and addresses are sent; `utf8` unless given. Give `AccountDetails.encoding`, lest a name should not match. */
  encoding?: TextEncoding | undefined;
  /** Asks for a certificate for code signing. An ordinary one comes, without an error, if the account may not. */
  codeSigning?: boolean | undefined;
}

export interface SignedCertificate {
  /** PEM of the certificate alone, without its issuer's. */
  certificate: string;
}

/**
 * A client of one CAcert account. Each method is one request and rejects with a `CAcertError`, or with the error of the
 * caller's own `beforeSend`. Nothing is ever retried.
 */
export interface CAcertClient {
  /** Name, addresses and rights of the account (`cemails.php`). Quick, and changes nothing. */
  getAccount(options?: CallOptions): Promise<AccountDetails>;
  /**
   * Has a certificate signed (`ccsr.php`), which takes 10 to 40 seconds and more. Not idempotent: each accepted call is
   * one more certificate, which no call can look up or revoke. Check what came: see `SignCertificateInput`.
   */
  signCertificate(input: SignCertificateInput, options?: CallOptions): Promise<SignedCertificate>;
  /** How the service's clock compares with ours, learned from its answers; undefined before the first one. */
  clockOffset(): ClockOffset | undefined;
  /** Closes the connections; calls under way fail with `Closed`. */
  close(): Promise<void>;
}
