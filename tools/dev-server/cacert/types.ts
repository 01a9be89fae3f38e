/** The options, answers and records of the CAcert server. No code. */
import type { ConnectionEffect, Duration, FaultRule, FaultView, JournalLine } from '../types.ts';

/** The scripts of the API, by their names under `/api/` without `.php`. */
export type CAcertCallName = 'ccsr' | 'cemails';

/** A member as the database has it. */
export interface CAcertMemberPreset {
  /** The primary e-mail address. */
  username: string;
  /** Stored as sign-up stores it: trimmed and without backslashes. */
  password: string;
  firstName: string;
  middleName?: string;
  lastName: string;
  suffix?: string;
  /** Assurance points; 100 by default. A name needs 50, code signing 100. */
  points?: number;
  /** Whether code signing has been granted; false by default. */
  codeSigning?: boolean;
  /** Verified addresses; by default the username alone. */
  emails?: string[];
}

/** What can be changed while the server runs (`setOptions`, `PUT /options`). */
export interface CAcertRuntimeOptions {
  /** Lifetime of a certificate; by default, and if null, 730 days with 50 points, else 180. */
  validity?: Duration | null;
  /** How long `ccsr.php` waits for the signer before it checks for the certificate; 0 by default, 10s at the real one. */
  wait?: Duration;
  /** How long the signer takes after the request; 0 by default. Longer than `wait`: "has failed. ID: N", signed later. */
  signing?: Duration;
  /** Waiting time before each call acts: fixed, or drawn evenly between two. */
  latency?: Duration | { min: Duration; max: Duration };
  /** Sign with the class 3 intermediate instead of the class 1 root. */
  class3?: boolean;
  /** `Host` headers that are answered; by default, and if null, the listener's own loopback names with its port. */
  hosts?: string[] | null;
  /** How the database stores names, which affects what `cemails.php` shows and `ccsr.php` compares; `utf8` by default. */
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
  /** Where to write the PEM of both authorities; by default in a temporary folder. */
  caFile?: string;
  /** Faults present from the start. */
  faults?: CAcertFault[];
  /** Wall-clock time in milliseconds, for tests of expiry; `Date.now` by default. */
  now?: () => number;
}

/** The refusals, each with the body of the real scripts. */
export type CAcertRefusalName =
  /** 403, wrong user or password; also the answer when the database is down. */
  | 'username'
  /** 404, no address matched. */
  | 'email'
  /** 404, "Invalid or missing CSR". */
  | 'csr'
  /** The reasons of `403, `: no request, or a key that is small, on Debian's list, has a small exponent or is not RSA. */
  | 'no-request'
  | 'small-key'
  | 'debian-key'
  | 'small-exponent'
  | 'algorithm'
  /** `403, ` with the number of an internal error. */
  | 'internal';

/** What is wrong with the certificate. */
export type CAcertDefect =
  /** The certificate lacks this address; by default the last one requested. */
  | { kind: 'dropped-email'; email?: string }
  /** The certificate names "CAcert WoT User". */
  | { kind: 'anonymous-name' }
  /** The certificate is an ordinary one although code signing was requested and granted. */
  | { kind: 'ignored-codesign' }
  /** The certificate is not for TLS clients. */
  | { kind: 'no-client-auth' }
  /** The certificate has other names. */
  | { kind: 'wrong-names'; cn?: string; emails?: string[] }
  /** The certificate is for another person's key. */
  | { kind: 'wrong-key' }
  /** The certificate ended an hour ago. */
  | { kind: 'expired' }
  /** The certificate begins this many seconds in the future. */
  | { kind: 'future'; seconds: number }
  /** The class 3 intermediate signed the certificate. */
  | { kind: 'class3' }
  /** Another authority of the same name signed the certificate. */
  | { kind: 'foreign-chain' };

/** What goes wrong at the CAcert API. "Acts" means that the call takes effect: a request is queued and signed. */
export type CAcertFaultEffect =
  | ConnectionEffect
  | CAcertDefect
  /** A refusal of the scripts. */
  | { kind: 'error'; error: CAcertRefusalName; acts?: boolean }
  /** An error page; 502 by default. With status 200 it is what a client that follows redirects gets. */
  | { kind: 'html'; status?: number; acts?: boolean }
  /** A redirect, by default to the front page. */
  | { kind: 'redirect'; location?: string; status?: number; acts?: boolean }
  /** Any body; each character is a byte. 200 by default. */
  | { kind: 'body'; body: string; status?: number; acts?: boolean }
  /** The true answer after this many (2) blank lines. */
  | { kind: 'blank-lines'; lines?: number }
  /** The true answer after a PHP notice. */
  | { kind: 'php-notice' }
  /** The true answer with CR LF. */
  | { kind: 'crlf' }
  /** `cemails.php` shows names as the database has them, without entities. */
  | { kind: 'raw-names' }
  /** Signs, but the file cannot be read: "200,Authentication Ok" and nothing else. */
  | { kind: 'no-certificate' }
  /** "has failed. ID: N"; signed `ms` later or, without `ms`, when `sign(N)` is called. */
  | { kind: 'unsigned'; ms?: number };

export type CAcertFault = FaultRule<CAcertCallName> & CAcertFaultEffect;

/** One request to the API. */
export interface CAcertJournalEntry extends JournalLine {
  host: string;
  /** Names of parameters in the URL. */
  inUrl: string[];
  contentType?: string;
  acceptLanguage?: string;
  /** The request had cookies. */
  cookie?: true;
  /** The id of the certificate request that the call made, and whether it is signed by now. */
  result?: { id: number; signed?: true };
  fault?: CAcertFaultEffect['kind'];
}

/** One accepted call of `ccsr.php`: a row to sign. Times in Unix milliseconds. */
export interface CAcertRequestView {
  /** The N of "has failed. ID: N". */
  id: number;
  account: string;
  /** As in the certificate. */
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

/** One signed certificate: what it contains. Times in Unix seconds. */
export interface CAcertCertificateView {
  /** The id of its request. */
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
  /** Calls that wait at a `hold`. */
  held: number;
}

export interface CAcertServer {
  /** Ends in `/api/`; the scripts under it are `ccsr.php` and `cemails.php`. */
  readonly endpoint: string;
  /** Path and text of the PEM of class 1 root and class 3 intermediate. The root also signs the server's own TLS certificate. */
  readonly caFile: string;
  readonly caPem: string;
  /** The two separately. */
  readonly ca: { rootPem: string; class3Pem: string };
  readonly controlUrl: string;
  /** The first member's. */
  readonly username: string;
  readonly password: string;

  members(): Required<Omit<CAcertMemberPreset, 'password'>>[];
  /** Adds a member, or replaces the one with that username. */
  putMember(member: CAcertMemberPreset): void;
  /** Entries with a `seq` above `since`. They are live objects: the entry of a call under way is completed later. */
  journal(since?: number): CAcertJournalEntry[];
  clearJournal(): void;
  /** Resolves with the first entry, present or future, that `matches`. Checks each entry when its call arrives and when it ends. */
  waitForCall(
    matches: (entry: CAcertJournalEntry) => boolean,
    signal?: AbortSignal,
  ): Promise<CAcertJournalEntry>;
  /** Every accepted request, by id. */
  requests(): CAcertRequestView[];
  /** Every signed certificate, by the id of its request. */
  certificates(): CAcertCertificateView[];
  /** The certificate of a request, as the member gets it from the web page. Throws a ServiceError `NotFound`. */
  certificatePem(id: number): string;
  /** Makes the signer sign a waiting request. Throws a ServiceError `NotFound`. */
  sign(id: number): CAcertCertificateView;
  /** Revokes as the member does at the web page; the CRL shows it. Throws a ServiceError `NotFound`. */
  revokeByHand(id: number): void;
  /** Adds a fault and returns its id. Of several, the first added that fits strikes. */
  addFault(fault: CAcertFault): number;
  faults(): FaultView<CAcertFault>[];
  clearFaults(): void;
  /** Releases every call that waits at a `hold`; returns how many. */
  release(): number;
  setOptions(options: CAcertRuntimeOptions): Promise<void>;
  counts(): CAcertStats;
  /** Breaks every connection, removes temporary files. */
  stop(): Promise<void>;
}
