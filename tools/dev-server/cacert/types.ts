/** What the CAcert server takes, gives and records. No code. */
import type { ConnectionEffect, Duration, FaultRule, FaultView, JournalLine } from '../types.ts';

/** The scripts of the API, by their name below `/api/` without `.php`. */
export type CAcertCallName = 'ccsr' | 'cemails';

/** A member as he stands in the database. */
export interface CAcertMemberPreset {
  /** The primary e-mail address. */
  username: string;
  /** Kept as sign-up does: trimmed and without backslashes. */
  password: string;
  firstName: string;
  middleName?: string;
  lastName: string;
  suffix?: string;
  /** Assurance points; 100 unless given. 50 are needed for a name, 100 for code signing. */
  points?: number;
  /** Whether code signing has been granted; not unless given. */
  codeSigning?: boolean;
  /** Verified addresses; the username alone unless given. */
  emails?: string[];
}

/** What can be changed while the server runs (`setOptions`, `PUT /options`). */
export interface CAcertRuntimeOptions {
  /** Lifetime of a certificate; 730 days with 50 points, else 180, unless given or null. */
  validity?: Duration | null;
  /** How long `ccsr.php` waits for the signer before it looks for the certificate; 0 unless given, 10s at the real one. */
  wait?: Duration;
  /** How long the signer takes from the request on; 0 unless given. Longer than `wait`: "has failed. ID: N", signed later. */
  signing?: Duration;
  /** Waiting time before each call acts: fixed, or drawn evenly between two. */
  latency?: Duration | { min: Duration; max: Duration };
  /** Sign with the class 3 intermediate instead of the class 1 root. */
  class3?: boolean;
  /** `Host` headers that are answered; the listener's own loopback names with its port unless given or null. */
  hosts?: string[] | null;
  /** How the database holds names: what `cemails.php` shows and `ccsr.php` compares follows from it; `utf8` unless given. */
  database?: 'utf8' | 'latin1';
  /** False closes the API's listener and its connections; true opens it again on the same port. */
  listening?: boolean;
}

export interface CAcertServerOptions extends Omit<CAcertRuntimeOptions, 'listening'> {
  /** Port of the API on 127.0.0.1; 0 for any free one. */
  port?: number;
  /** Port of the control URL, CRLs and OCSP; 0 for any free one. */
  controlPort?: number;
  /** `https` unless given. */
  protocol?: 'https' | 'http';
  /** The members; one made up unless given. */
  members?: CAcertMemberPreset[];
  /** Where to write the PEM of both authorities; in a temporary folder unless given. */
  caFile?: string;
  /** Faults present from the start. */
  faults?: CAcertFault[];
  /** Wall-clock time in milliseconds, for tests of expiry; `Date.now` unless given. */
  now?: () => number;
}

/** The refusals, each with the body of the real scripts. */
export type CAcertRefusalName =
  /** 403, wrong user or password; what a dead database yields too. */
  | 'username'
  /** 404, no address matched. */
  | 'email'
  /** 404, "Invalid or missing CSR". */
  | 'csr'
  /** The reasons of `403, `: no request, or a key that is small, on Debian's list, of a small exponent, not RSA. */
  | 'no-request'
  | 'small-key'
  | 'debian-key'
  | 'small-exponent'
  | 'algorithm'
  /** `403, ` with the number of an internal error. */
  | 'internal';

/** What is wrong with the certificate. */
export type CAcertDefect =
  /** The certificate lacks this address; the last one asked for unless given. */
  | { kind: 'dropped-email'; email?: string }
  /** The certificate is made out to "CAcert WoT User". */
  | { kind: 'anonymous-name' }
  /** The certificate is an ordinary one although code signing was asked for and granted. */
  | { kind: 'ignored-codesign' }
  /** The certificate is not for TLS clients. */
  | { kind: 'no-client-auth' }
  /** The certificate has other names. */
  | { kind: 'wrong-names'; cn?: string; emails?: string[] }
  /** The certificate is for another person's key. */
  | { kind: 'wrong-key' }
  /** The certificate ended an hour ago. */
  | { kind: 'expired' }
  /** The certificate begins so many seconds ahead. */
  | { kind: 'future'; seconds: number }
  /** The certificate is of the class 3 intermediate. */
  | { kind: 'class3' }
  /** The certificate is signed by another authority of the same name. */
  | { kind: 'foreign-chain' };

/** What goes wrong at the CAcert API. "Acts" means that the call takes effect: a request is queued and signed. */
export type CAcertFaultEffect =
  | ConnectionEffect
  | CAcertDefect
  /** A refusal of the scripts. */
  | { kind: 'error'; error: CAcertRefusalName; acts?: boolean }
  /** An error page; 502 unless given. With the status 200 it is what a followed redirect yields. */
  | { kind: 'html'; status?: number; acts?: boolean }
  /** A redirect to the front page unless another location is given. */
  | { kind: 'redirect'; location?: string; status?: number; acts?: boolean }
  /** Any body; each character is a byte. 200 unless given. */
  | { kind: 'body'; body: string; status?: number; acts?: boolean }
  /** The true answer behind so many (2) blank lines. */
  | { kind: 'blank-lines'; lines?: number }
  /** The true answer behind a PHP notice. */
  | { kind: 'php-notice' }
  /** The true answer with CR LF. */
  | { kind: 'crlf' }
  /** `cemails.php` gives names as the database has them, without entities. */
  | { kind: 'raw-names' }
  /** Signs, but the file cannot be read: "200,Authentication Ok" and nothing else. */
  | { kind: 'no-certificate' }
  /** "has failed. ID: N"; signed `ms` later, or when `sign(N)` is called if not given. */
  | { kind: 'unsigned'; ms?: number };

export type CAcertFault = FaultRule<CAcertCallName> & CAcertFaultEffect;

/** One request to the API. */
export interface CAcertJournalEntry extends JournalLine {
  host: string;
  /** Names of parameters that stood in the URL. */
  inUrl: string[];
  contentType?: string;
  acceptLanguage?: string;
  /** It sent cookies. */
  cookie?: true;
  /** The id of the certificate request that the call made, and whether it has been signed, by now or in time. */
  result?: { id: number; signed?: true };
  fault?: CAcertFaultEffect['kind'];
}

/** One accepted call of `ccsr.php`: a row that is signed at some time. Times in Unix milliseconds. */
export interface CAcertRequestView {
  /** The N of "has failed. ID: N". */
  id: number;
  account: string;
  /** As it goes into the certificate. */
  cn: string;
  emails: string[];
  codeSigning: boolean;
  /** SHA-256 of the public key's SPKI, in hex. */
  keyFingerprint: string;
  requestedAt: number;
  status: 'waiting' | 'signed' | 'refused';
  signedAt?: number;
  /** The `seq` of the call that made it. */
  origin: number;
}

/** One signed certificate, by what it says itself. Times in Unix seconds. */
export interface CAcertCertificateView {
  /** That of its request. */
  id: number;
  account: string;
  /** Hexadecimal, lower case; unique for its issuer. */
  serial: string;
  issuer: 'class1' | 'class3';
  cn: string;
  emails: string[];
  codeSigning: boolean;
  /** SHA-256 of the certificate's public key, in hex. */
  keyFingerprint: string;
  notBefore: number;
  notAfter: number;
  /** Unix milliseconds. */
  signedAt: number;
  revoked: boolean;
  origin: number;
}

export interface CAcertStats {
  /** Requests by call, since the start. */
  calls: Record<string, number>;
  /** Refusals by name, since the start. */
  errors: Record<string, number>;
  requests: Record<CAcertRequestView['status'], number>;
  certificates: number;
  /** Calls that stand at a `hold`. */
  held: number;
}

export interface CAcertServer {
  /** Ends in `/api/`; the scripts below it are `ccsr.php` and `cemails.php`. */
  readonly endpoint: string;
  /** Path and text of the PEM of class 1 root and class 3 intermediate. The server's own TLS is under the root. */
  readonly caFile: string;
  readonly caPem: string;
  /** The same one by one. */
  readonly ca: { rootPem: string; class3Pem: string };
  readonly controlUrl: string;
  /** The first member's. */
  readonly username: string;
  readonly password: string;

  members(): Required<Omit<CAcertMemberPreset, 'password'>>[];
  /** Adds a member, or replaces the one of that username. */
  putMember(member: CAcertMemberPreset): void;
  /** Entries with a `seq` above `since`; live objects, so that a waiting call's entry fills in. */
  journal(since?: number): CAcertJournalEntry[];
  clearJournal(): void;
  /** Resolves with the first entry, present or to come, that `matches`; asked on arrival and again at the end of each call. */
  waitForCall(
    matches: (entry: CAcertJournalEntry) => boolean,
    signal?: AbortSignal,
  ): Promise<CAcertJournalEntry>;
  /** Every accepted request, by id. */
  requests(): CAcertRequestView[];
  /** Every signed certificate, by the id of its request. */
  certificates(): CAcertCertificateView[];
  /** What was signed for a request, as the member fetches it at the web page. Throws a ServiceError `NotFound`. */
  certificatePem(id: number): string;
  /** Lets the signer sign a waiting request. Throws a ServiceError `NotFound`. */
  sign(id: number): CAcertCertificateView;
  /** Revokes as the member does at the web page; shows in the CRL. Throws a ServiceError `NotFound`. */
  revokeByHand(id: number): void;
  /** Faults are asked in order of their adding; the first that fits strikes. Returns the fault's id. */
  addFault(fault: CAcertFault): number;
  faults(): FaultView<CAcertFault>[];
  clearFaults(): void;
  /** Lets every call go on that stands at a `hold`; returns how many. */
  release(): number;
  setOptions(options: CAcertRuntimeOptions): Promise<void>;
  counts(): CAcertStats;
  /** Breaks every connection, removes temporary files. */
  stop(): Promise<void>;
}
