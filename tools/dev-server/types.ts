/** What the dev server takes, gives and records. No code. */

/** A span of time: milliseconds, or a number with a unit: `500ms`, `30s`, `15m`, `1h`, `365d`. */
export type Duration = number | string;

/** The calls of the service's API, by their path below `/api/v1/`. */
export type CallName =
  | 'connect'
  | 'disconnect'
  | 'ca/list'
  | 'ca/details'
  | 'ca/get'
  | 'ca/delete'
  | 'ca/new'
  | 'cert/list'
  | 'cert/details'
  | 'cert/get'
  | 'cert/reissue'
  | 'cert/status'
  | 'cert/new';

export type HashMethod = 'sha1' | 'sha256';

/** The statuses that a person or `cert/status` can set. */
export type SettableStatus = 'good' | 'hold' | 'revoked';

export type CertificateStatus = SettableStatus | 'expired' | 'obsolete';

export type NameType = 'DNS' | 'IP' | 'email' | 'URI';

/** One subject alternative name. */
export interface AlternativeName {
  type: NameType;
  value: string;
}

/** A distinguished name; the parts that are absent are absent in the certificate. */
export interface Subject {
  C: string;
  ST?: string;
  L?: string;
  O: string;
  OU?: string;
  CN: string;
}

/** What `ca/new` takes. `hashMethod` is `sha256` unless given. */
export interface AuthorityPreset {
  organization: string;
  country: string;
  locality?: string;
  province?: string;
  hashMethod?: HashMethod;
}

/** What can be changed while the server runs (`setOptions`, `PUT /options`). */
export interface RuntimeOptions {
  /** Lifetime of a leaf; 365 days unless given, at least one second. */
  validity?: Duration;
  /** Lifetime of an authority made from now on; 3650 days unless given. */
  caValidity?: Duration;
  /** Waiting time before each call acts: fixed, or drawn evenly between two. */
  latency?: Duration | { min: Duration; max: Duration };
  /** `ca/new`, `cert/new` and `cert/reissue` allowed per account and minute; null for no limit. */
  rateLimit?: number | null;
  /** Seconds to send as `Retry-After` with RateLimitExceeded; null to send none. */
  retryAfter?: number | null;
  /** Life of a session from its `connect`; one hour unless given. */
  sessionTtl?: Duration;
  /** Which bytes the digest must cover: those received, PHP's rewriting of them, or either. */
  strictSignature?: 'raw' | 'php' | 'either';
  /** Another customer takes one id before every n-th certificate; 0 for never, 3 unless given. */
  otherCustomers?: number;
  /** How `ca/details` and `cert/details` show a part of the name that was not given; `empty` unless given. */
  emptyFields?: 'null' | 'empty' | 'absent';
  /** The body of the calls that only succeed; `{}` unless given. */
  successBody?: string;
  /** False closes the API's listener and its connections; true opens it again on the same port. */
  listening?: boolean;
  /** New credentials of the built-in account; running sessions stay. */
  passphrase?: string;
  apiKey?: string;
}

export interface DevServerOptions extends Omit<RuntimeOptions, 'listening'> {
  /** Port of the API on 127.0.0.1; 0 for any free one. */
  port?: number;
  /** Port of the control URL, CRLs and CA certificates; 0 for any free one. */
  controlPort?: number;
  /** `https` unless given. */
  protocol?: 'https' | 'http';
  /** E-mail of the built-in account; like passphrase and API key made up unless given. */
  email?: string;
  /** Authorities that exist at start; "Example Org" in US unless given. Ignored if the state file has some. */
  authorities?: AuthorityPreset[];
  /** JSON file to keep accounts, authorities and certificates in. */
  stateFile?: string;
  /** Where to write the PEM that clients must trust; in a temporary folder unless given. */
  caFile?: string;
  /** Key pairs made ahead; 0 unless given. */
  keyPool?: number;
  /** Hand the pool's keys out round and round instead of once. Certificates then share keys. */
  keyPoolReuse?: boolean;
  /** Faults present from the start. */
  faults?: Fault[];
  /** Wall-clock time in milliseconds, for tests of expiry; `Date.now` unless given. */
  now?: () => number;
}

/** What goes wrong on the way, whatever is called. "Acts" means that the call takes effect at the service. */
export type ConnectionEffect =
  /** Never acts, never answers. */
  | { kind: 'hang' }
  /** Waits, then acts (also if the client has gone) and answers. */
  | { kind: 'delay'; ms: number }
  /** Stops before (unless `when` says after) acting until `release()`, then goes on, also if the client has gone. */
  | { kind: 'hold'; when?: 'before' | 'after' }
  /** Never answers; acts `ms` after the client gave up, or after it was cut off at once with `cut`. */
  | { kind: 'late'; ms: number; cut?: boolean }
  /** Breaks the connection without acting. */
  | { kind: 'reset-before' }
  /** Acts, then breaks the connection. */
  | { kind: 'reset-after' }
  /** Acts if told so and streams so many bytes that begin like an answer; 64 MiB unless given. */
  | { kind: 'huge'; bytes?: number; acts?: boolean }
  /** Acts and announces the whole answer, but closes after `bytes` of it; half unless given. */
  | { kind: 'truncated'; bytes?: number }
  /** Acts and sends the answer `bytes` (1) at a time, `ms` (50) apart. */
  | { kind: 'trickle'; bytes?: number; ms?: number };

/**
 * What goes wrong at the TinyCert API.
 * The certificate defects (`wrong-names`, `expired`, `future`, `foreign-chain`) last if the fault is on `cert/new` or
 * `cert/reissue`, and are in that one answer only if it is on `cert/get`.
 */
export type FaultEffect =
  | ConnectionEffect
  /** A refusal of the service; the status follows from the code unless given. */
  | {
      kind: 'error';
      code: string;
      status?: number;
      text?: string;
      retryAfter?: number | string;
      acts?: boolean;
    }
  /** A proxy's error page; 502 unless given. */
  | { kind: 'html'; status?: number; acts?: boolean }
  /** A body that is not JSON; 200 unless given. */
  | { kind: 'not-json'; status?: number; body?: string; acts?: boolean }
  /** A redirect; 302 unless given. */
  | { kind: 'redirect'; location: string; status?: number; acts?: boolean }
  /** `cert/get` of a key gives one of another pair. */
  | { kind: 'wrong-key' }
  /** The certificate has other names; `wrong.example.net` unless given. */
  | { kind: 'wrong-names'; names?: AlternativeName[] }
  /** The certificate ended an hour ago. */
  | { kind: 'expired' }
  /** The certificate begins so many seconds ahead. */
  | { kind: 'future'; seconds: number }
  /** The certificate is signed by another authority of the same name, whose root is in the chain. */
  | { kind: 'foreign-chain' };

export interface FaultRule<C extends string = CallName> {
  /** The call it is for, or any. */
  call: C | '*';
  /** How often it strikes; once unless given. */
  times?: number | 'forever';
  /** Parameters that must have these values, by the name in the request, such as `CN` or `SANs[0][DNS]`. */
  match?: Record<string, string>;
  /** Lets so many matching calls pass first. */
  after?: number;
}

export type Fault = FaultRule & FaultEffect;

/** A fault as it stands: how often it may still strike, and how often it did. */
export interface FaultView<F = Fault> {
  id: number;
  fault: F;
  struck: number;
  done: boolean;
}

/** What every journal says of a request, from its arrival on; the later fields fill in as it goes. Times in Unix milliseconds. */
export interface JournalLine {
  seq: number;
  at: number;
  endedAt?: number;
  method: string;
  /** The call, or the path where it is none of the API. */
  call: string;
  /** Form parameters in order of arrival, passphrases and passwords redacted. */
  params: Record<string, string>;
  /** Who called, once known. */
  account?: string;
  httpStatus?: number;
  /** The error code of the answer. */
  code?: string;
  /** The client's port: equal for requests on one connection. */
  client: number;
  /** The request body as received, secrets redacted. */
  body: string;
  /** The fault that struck. */
  fault?: string;
  /** It stands at a `hold`. */
  held?: true;
  /** The client closed before the answer was through, or was cut off. */
  aborted?: true;
  /** The call took effect although the client had gone. */
  late?: true;
}

/** One request to the TinyCert API. Token and digest are not among the parameters. */
export interface JournalEntry extends JournalLine {
  /** Ids that the call made or touched. */
  result?: { certId?: number; caId?: number; previousId?: number };
  fault?: FaultEffect['kind'];
}

/** One certificate of any account. Times in Unix seconds. */
export interface CertificateView {
  id: number;
  caId: number;
  account: string;
  cn: string;
  subject: Subject;
  names: AlternativeName[];
  status: CertificateStatus;
  /** SHA-256 of the public key's SPKI, in hex. */
  keyFingerprint: string;
  notBefore: number;
  notAfter: number;
  previousId?: number;
  replacedBy?: number;
  /** The `seq` of the call that made it, or who else did. */
  origin: number | 'manual' | 'other-customer';
}

export interface AuthorityView {
  id: number;
  account: string;
  name: string;
  subject: Subject;
  hashMethod: HashMethod;
  notBefore: number;
  notAfter: number;
  pem: string;
}

/** A certificate as a person asks for it on the web page; country and organization are the authority's unless given. */
export interface ManualRequest {
  cn: string;
  /** The built-in account's first authority unless given. */
  caId?: number;
  subject?: Partial<Omit<Subject, 'CN'>>;
  names?: AlternativeName[];
  /** Unix seconds; now and the usual lifetime unless given. */
  notBefore?: number;
  notAfter?: number;
}

export interface Stats {
  /** Requests by call, since the start. */
  calls: Record<string, number>;
  /** Error answers by code, since the start. */
  errors: Record<string, number>;
  /** The built-in account's certificates by status. */
  certificates: Record<CertificateStatus, number>;
  sessions: number;
  /** Calls that stand at a `hold`. */
  held: number;
}

/** What a client needs to log in. */
export interface AccountCredentials {
  email: string;
  passphrase: string;
  apiKey: string;
}

export interface DevServer extends AccountCredentials {
  /** Ends in `/api/v1/`. */
  readonly endpoint: string;
  /** Path and text of the PEM to trust; empty with plain http. */
  readonly caFile: string;
  readonly caPem: string;
  readonly controlUrl: string;
  /** The built-in account's first authority. */
  readonly authorityId: number;
  /** Another customer of the service, with an authority of its own. */
  readonly otherAccount: AccountCredentials & { authorityId: number };

  /** Entries with a `seq` above `since`; live objects, so that a waiting call's entry fills in. */
  journal(since?: number): JournalEntry[];
  clearJournal(): void;
  /** Resolves with the first entry, present or to come, that `matches`; asked on arrival and again at the end of each call. */
  waitForCall(matches: (entry: JournalEntry) => boolean, signal?: AbortSignal): Promise<JournalEntry>;
  /** Every certificate of every account, by id. */
  certificates(): CertificateView[];
  certificatePem(id: number): string;
  authorities(): AuthorityView[];
  addAuthority(preset: AuthorityPreset): Promise<number>;
  /** Removes the authority and all its certificates. */
  deleteAuthority(id: number): void;
  issueByHand(request: ManualRequest): Promise<CertificateView>;
  reissueByHand(id: number): CertificateView;
  setStatusByHand(id: number, status: SettableStatus): CertificateView;
  /** Ends every session; returns how many there were. */
  expireSessions(): number;
  /** Faults are asked in order of their adding; the first that fits strikes. Returns the fault's id. */
  addFault(fault: Fault): number;
  faults(): FaultView[];
  clearFaults(): void;
  /** Lets every call go on that stands at a `hold`; returns how many. */
  release(): number;
  setOptions(options: RuntimeOptions): Promise<void>;
  counts(): Stats;
  /** Breaks every connection, writes the state, removes temporary files. */
  stop(): Promise<void>;
}
