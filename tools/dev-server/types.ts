/** The options, answers and records of the dev server. No code. */

/** A span of time: milliseconds, or a number with a unit: `500ms`, `30s`, `15m`, `1h`, `365d`. */
export type Duration = number | string;

/** The calls of the service's API, by their paths under `/api/v1/`. */
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

/** A distinguished name; the certificate lacks the parts that are absent here. */
export interface Subject {
  C: string;
  ST?: string;
  L?: string;
  O: string;
  OU?: string;
  CN: string;
}

/** The parameters of `ca/new`. `hashMethod` is `sha256` by default. */
export interface AuthorityPreset {
  organization: string;
  country: string;
  locality?: string;
  province?: string;
  hashMethod?: HashMethod;
}

/** What can be changed while the server runs (`setOptions`, `PUT /options`). */
export interface RuntimeOptions {
  /** Lifetime of a leaf; 365 days by default, at least one second. */
  validity?: Duration;
  /** Lifetime of an authority made from now on; 3650 days by default. */
  caValidity?: Duration;
  /** Waiting time before each call acts: fixed, or drawn evenly between two. */
  latency?: Duration | { min: Duration; max: Duration };
  /** `ca/new`, `cert/new` and `cert/reissue` allowed per account and minute; null for no limit. */
  rateLimit?: number | null;
  /** Seconds to send as `Retry-After` with RateLimitExceeded; null to send none. */
  retryAfter?: number | null;
  /** Life of a session from its `connect`; one hour by default. */
  sessionTtl?: Duration;
  /** Which bytes the digest must cover: those received, PHP's rewriting of them, or either. */
  strictSignature?: 'raw' | 'php' | 'either';
  /** Another customer takes one id before every n-th certificate; 0 for never, 3 by default. */
  otherCustomers?: number;
  /** How `ca/details` and `cert/details` show a part of the name that was not given; `empty` by default. */
  emptyFields?: 'null' | 'empty' | 'absent';
  /** The body of calls without a result; `{}` by default. */
  successBody?: string;
  /** False closes the API's listener and its connections; true opens it again on the same port. */
  listening?: boolean;
  /** New credentials of the built-in account; its sessions stay. */
  passphrase?: string;
  apiKey?: string;
}

export interface DevServerOptions extends Omit<RuntimeOptions, 'listening'> {
  /** IPv4 address of the API; 127.0.0.1 by default. The control URL is always there. */
  host?: string;
  /** Port of the API; 0 for any free one. */
  port?: number;
  /** Port of the control URL, CRLs and CA certificates; 0 for any free one. */
  controlPort?: number;
  /** `https` by default. */
  protocol?: 'https' | 'http';
  /** E-mail of the built-in account; like passphrase and API key made up by default. */
  email?: string;
  /** Authorities that exist at the start; "Example Org" in US by default. Ignored if the state file has some. */
  authorities?: AuthorityPreset[];
  /** JSON file to keep accounts, authorities and certificates in. */
  stateFile?: string;
  /** Where to write the PEM that clients must trust; by default in a temporary folder. */
  caFile?: string;
  /** Key pairs made ahead; 0 by default. */
  keyPool?: number;
  /** Reuse the pool's keys in turn. Certificates then share keys. */
  keyPoolReuse?: boolean;
  /** Faults present from the start. */
  faults?: Fault[];
  /** Wall-clock time in milliseconds, for tests of expiry; `Date.now` by default. */
  now?: () => number;
}

/** What goes wrong with the connection, for any call. "Acts" means that the call takes effect at the service. */
export type ConnectionEffect =
  /** Never acts, never answers. */
  | { kind: 'hang' }
  /** Waits, then acts (even if the client has gone) and answers. */
  | { kind: 'delay'; ms: number }
  /** Waits for `release()` before acting (or after it, by `when`), then continues, even if the client has gone. */
  | { kind: 'hold'; when?: 'before' | 'after' }
  /** Never answers; acts `ms` after the client gave up or, with `cut`, after the connection was broken at once. */
  | { kind: 'late'; ms: number; cut?: boolean }
  /** Breaks the connection without acting. */
  | { kind: 'reset-before' }
  /** Acts, then breaks the connection. */
  | { kind: 'reset-after' }
  /** Acts if `acts`, and streams this many bytes that begin like an answer; 64 MiB by default. */
  | { kind: 'huge'; bytes?: number; acts?: boolean }
  /** Acts and announces the whole answer, but closes after `bytes` of it; half of it by default. */
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
  /** A refusal of the service; the default status depends on the code. */
  | {
      kind: 'error';
      code: string;
      status?: number;
      text?: string;
      retryAfter?: number | string;
      acts?: boolean;
    }
  /** A proxy's error page; 502 by default. */
  | { kind: 'html'; status?: number; acts?: boolean }
  /** A body that is not JSON; 200 by default. */
  | { kind: 'not-json'; status?: number; body?: string; acts?: boolean }
  /** A redirect; 302 by default. */
  | { kind: 'redirect'; location: string; status?: number; acts?: boolean }
  /** Sends the last answer to this call once more, whoever got it. Without an earlier one it acts and answers. */
  | { kind: 'replay'; acts?: boolean }
  /** Acts, and adds a line with this id to the answer of `cert/list`. */
  | { kind: 'stray-line'; id: number }
  /** `cert/get` of a key returns one of another pair. */
  | { kind: 'wrong-key' }
  /** The certificate has other names; `wrong.example.net` by default. */
  | { kind: 'wrong-names'; names?: AlternativeName[] }
  /** The certificate ended an hour ago. */
  | { kind: 'expired' }
  /** The certificate begins this many seconds in the future. */
  | { kind: 'future'; seconds: number }
  /** Another authority of the same name signed the certificate, and its root is in the chain. */
  | { kind: 'foreign-chain' };

export interface FaultRule<C extends string = CallName> {
  /** The call that it strikes, or any. */
  call: C | '*';
  /** How often it strikes; once by default. */
  times?: number | 'forever';
  /** Parameters that must have these values, by the name in the request, such as `CN` or `SANs[0][DNS]`. */
  match?: Record<string, string>;
  /** Lets this many matching calls pass first. */
  after?: number;
}

export type Fault = FaultRule & FaultEffect;

/** A fault and how often it has struck. */
export interface FaultView<F = Fault> {
  id: number;
  fault: F;
  struck: number;
  done: boolean;
}

/** The fields of a request that every journal has. Later ones are added while the call runs. Times in Unix milliseconds. */
export interface JournalLine {
  seq: number;
  at: number;
  endedAt?: number;
  method: string;
  /** The call, or the path if it is none of the API. */
  call: string;
  /** Form parameters in order of arrival, passphrases and passwords redacted. */
  params: Record<string, string>;
  /** The account that called, once known. */
  account?: string;
  httpStatus?: number;
  /** The error code of the answer. */
  code?: string;
  /** The client's port: equal for requests on one connection. */
  client: number;
  /** The request body as received, secrets redacted. */
  body: string;
  /** The kind of the fault that struck. */
  fault?: string;
  /** It waits at a `hold`. */
  held?: true;
  /** The client closed before the answer was complete, or its connection was broken. */
  aborted?: true;
  /** The call took effect although the client had gone. */
  late?: true;
}

/** One request to the TinyCert API. Token and digest are not among the parameters. */
export interface JournalEntry extends JournalLine {
  /** Ids that the call made or changed. */
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
  /** The `seq` of the call that made it, or who else made it. */
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

/** A certificate as a person requests it on the web page; country and organization are the authority's by default. */
export interface ManualRequest {
  cn: string;
  /** By default the built-in account's first authority. */
  caId?: number;
  subject?: Partial<Omit<Subject, 'CN'>>;
  names?: AlternativeName[];
  /** Unix seconds; by default now and the usual lifetime. */
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
  /** Calls that wait at a `hold`. */
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

  /** Entries with a `seq` above `since`. They are live objects: the entry of a call under way is completed later. */
  journal(since?: number): JournalEntry[];
  clearJournal(): void;
  /** Resolves with the first entry, present or future, that `matches`. Checks each entry when its call arrives and when it ends. */
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
  /** Adds a fault and returns its id. Of several, the first added that fits strikes. */
  addFault(fault: Fault): number;
  faults(): FaultView[];
  clearFaults(): void;
  /** Releases every call that waits at a `hold`; returns how many. */
  release(): number;
  setOptions(options: RuntimeOptions): Promise<void>;
  counts(): Stats;
  /** Breaks every connection, writes the state, removes temporary files. */
  stop(): Promise<void>;
}
