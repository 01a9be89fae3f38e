/**
 * The world of the model. Numbers from TOKENS on are tokens: only whether two are equal means anything. A certificate id
 * is the number of its account times ACCOUNT plus its position in that account's register, so that two accounts number
 * alike; 0 stands for none. Time is counted in units: W and T together are one and X is another, and ages stop at QUIET = W + T + X.
 */
export const QUIET = 2;
export const TOKENS = 1000;
export const ACCOUNT = 100;

/** A resource's name as a token: place 0 is A, place 1 is B, place 2 is C. */
export const tokenOfPlace = (place: number): number => TOKENS + place;
export const placeOfToken = (token: number): number => token - TOKENS;

/** An open attempt, as it stands in the journal. */
export interface Entry {
  id: number;
  uid: number;
  /** The name of its resource, for sentences and for telling whose a purchase is. */
  place: number;
  operation: 'New' | 'Reissue';
  /** What is asked for: names and subject as one number. */
  spec: number;
  account: number;
  /** The revision of the status that its result will have. */
  revision: number;
  /** What the resource needed it for; not in life, but for counting what was bought twice. */
  need: number;
  previousId: number;
  afterId: number;
  /** Its own window and those of the entries that it replaced. */
  windows: readonly number[];
  /** How many replies in a row were not believed. */
  doubts: number;
  /** What it bought, if that could not be published at once; else 0. */
  bought: number;
  /** A takeover found it in a journal that had been put back. */
  isPutBack: boolean;
}

/** A request that was removed without a finding: it may have bought anything of this spec above the id. */
export interface Abandoned {
  uid: number;
  spec: number;
  account: number;
  afterId: number;
}

export interface Journal {
  version: number;
  entries: readonly Entry[];
  /** The highest id seen of each account. */
  highest: readonly number[];
  /** Bought by this installation for certain, and given up. */
  givenUp: readonly number[];
  /** Given up without certainty: a person may have bought it. */
  released: readonly number[];
  /** Candidates that a recovery could not tell to be anybody's. */
  undecided: readonly number[];
  abandoned: readonly Abandoned[];
  /** How many entries there were; only counted while ids are not random. */
  counter: number;
}

/** What the operator writes into the status of a resource, under a seal. */
export interface Status {
  certificateId: number;
  /** What it was asked for with. */
  spec: number;
  revision: number;
  /** The attempt that it came of. */
  entry: number;
  /** Somebody else wrote it, so that the seal does not fit. */
  isForged: boolean;
}

/** A TinyCertCertificate. Replaced as a whole by every write. */
export interface Resource {
  uid: number;
  version: number;
  spec: number;
  /** The account of the issuer that it names. */
  account: number;
  /** Another one whenever a certificate is needed for a new reason; not in life. */
  need: number;
  status: Status;
}

export interface Secret {
  version: number;
  /** The resource it was written for. */
  uid: number;
  /** What its annotation says. */
  certificateId: number;
  /** The id under which the private key in it was first issued; 0 for a key that the CA never made. */
  key: number;
}

export interface Certificate {
  spec: number;
  /** The id under which its key was first issued. */
  key: number;
  /** Uid of the resource for which an entry bought it, and the entry; 0: a person or another installation did. */
  buyer: number;
  entry: number;
  /** Which resource that is or was, whatever its uid; 0 for a stranger. */
  place: number;
  need: number;
  /** Why it is due for renewal, as a need of its resource; 0 while it is not. */
  due: number;
  isObsolete: boolean;
  isRevoked: boolean;
  /** A result has named it. */
  wasNamed: boolean;
  /** Windows that were open when it was issued. */
  windows: readonly number[];
}

/** A request to the CA on its way. */
export interface Request {
  entry: Entry;
  process: number;
  /** Whether a unit has passed since it was sent, so that the client has given up. */
  isGivenUp: boolean;
  /** 0: it is carried out within T; 1: within T + X; 2: the named exception, later. */
  patience: 0 | 1 | 2;
}

/** Steps of a piece of work. `enter`, `amend` and `remove` wait for the next write of the journal. */
export type StepName =
  | 'enter'
  | 'amend'
  | 'send'
  | 'reply'
  | 'secret'
  | 'result'
  | 'remove'
  | 'previous'
  | 'list'
  | 'live'
  | 'cluster';

/** What the looks of a recovery have shown. */
export interface Looks {
  isPreviousObsolete: boolean;
  candidates: readonly number[];
  /** Of the same names, but no candidates. */
  strangers: readonly number[];
  /** Ids that were not in the list and are below the highest that was. */
  missing: readonly number[];
}

/** What the write that removes an entry records. */
export interface Giving {
  givenUp: readonly number[];
  released: readonly number[];
  undecided: readonly number[];
  isAbandoned: boolean;
}

/** One reconcile under way. */
export interface Work {
  place: number;
  uid: number;
  next: StepName;
  /** The entry to be written, or the open one; a repair and an adoption without a purchase have none. */
  entry: Entry | undefined;
  /** The id of the entry that the write of the journal takes out. */
  removes: number;
  giving: Giving;
  /** The resource as decided on, then as read or written; undefined if it is gone. */
  seen: Resource | undefined;
  secretVersion: number;
  /** Units since it was decided. */
  age: number;
  /** What is to be published. */
  certificateId: number;
  looks: Looks;
  /** The resources, if they were listed before the CA's list. */
  others: Cluster['resources'] | undefined;
}

/** What a process remembers of an open entry. */
export interface Memory {
  entry: number;
  /** Units since it was first seen. */
  wait: number;
  /** Nothing was sent, or the CA certainly did not act. */
  isUnsent: boolean;
  bought: number;
  /** What was bought does not fit; only the fetch is tried again. */
  isMisfit: boolean;
  /** A reply was not believed. */
  isDoubted: boolean;
}

/** What a process knows of a resource and its Secret from watches, LISTs, GETs and its own writes. */
export interface View {
  resource: Resource | undefined;
  secret: Secret | undefined;
}

/** How far a takeover is; `missing` waits for what a lost journal may have had under way. */
export type Phase = 'standby' | 'journal' | 'missing' | 'list' | 'inventory' | 'ready';

export interface Process {
  leads: boolean;
  phase: Phase;
  /** Units since the journal was found missing. */
  wait: number;
  /** The journal as last written or read. */
  journal: Journal | undefined;
  views: readonly View[];
  works: readonly Work[];
  memory: readonly Memory[];
  /** The CA's list as taken at the takeover. */
  inventory: readonly number[];
  /** The highest id of each account that it knows of. */
  known: readonly number[];
}

/** Everything that a backup of etcd holds. */
export interface Cluster {
  resources: readonly (Resource | undefined)[];
  secrets: readonly (Secret | undefined)[];
  journal: Journal | undefined;
}

/** What an inventory has read so far. */
export interface Inventory {
  ids?: readonly number[];
  journal?: Journal;
  resources?: Cluster['resources'];
}

export interface State extends Cluster {
  /** The CA's registers, one for each account. */
  certificates: readonly (readonly Certificate[])[];
  requests: readonly Request[];
  processes: readonly Process[];
  /** Windows of entries, their ages, and how long the CA's registers were when they opened. */
  windows: readonly { id: number; age: number; from: readonly number[] }[];
  /** How often each event may still happen, in the order of `eventNames`, and how many in all. */
  left: readonly number[];
  events: number;
  snapshot: (Cluster & { issued: readonly number[] }) | undefined;
  /** Earlier statuses that tenants have kept. */
  kept: readonly ({ uid: number; status: Status } | undefined)[];
  /** An inventory under way: what it has read so far. */
  inventory: Inventory | undefined;
  /** Ids that an inventory has reported as orphans. */
  reported: readonly number[];
  /** The journal was put back, and no takeover has found it yet. */
  isPutBack: boolean;
  /** A journal that was deleted, until another one stands in its place. */
  lost: Journal | undefined;
  /** Entries and ids that were lost with a journal, or put back; nobody can know of them. */
  forgotten: readonly number[];
  /** Exceptional windows that the design names, each of which may cost one certificate. */
  excuses: number;
  /** A process has found out that the CRDs are too old, and a person has been told. */
  isHalted: boolean;
  /** A rule was broken by the last step itself. */
  violation: string | undefined;
  nextToken: number;
}

export const nothingSeen: Looks = { isPreviousObsolete: false, candidates: [], strangers: [], missing: [] };
export const nothingGiven: Giving = { givenUp: [], released: [], undecided: [], isAbandoned: false };
export const noStatus: Status = { certificateId: 0, spec: 0, revision: 0, entry: 0, isForged: false };

/** The account of an id. */
export function accountOf(id: number): number {
  return Math.floor(id / ACCOUNT);
}

/** A certificate in the CA's registers. */
export function certificateOf(state: Pick<State, 'certificates'>, id: number): Certificate | undefined {
  return id % ACCOUNT === 0 ? undefined : state.certificates[accountOf(id)]?.[id % ACCOUNT];
}

/** Which resource's key a certificate carries, as the token of its place; 0 for a stranger's. */
export function ownerOf(state: Pick<State, 'certificates'>, id: number): number {
  const key = certificateOf(state, id)?.key ?? 0;
  return certificateOf(state, key)?.place ?? 0;
}

/** The uid that the marker in a certificate stands for; 0 for a stranger's. */
export function markedUid(state: Pick<State, 'certificates'>, id: number): number {
  const key = certificateOf(state, id)?.key ?? 0;
  return certificateOf(state, key)?.buyer ?? 0;
}

/** Whether two certificates have the same key. */
export function hasSameKey(state: Pick<State, 'certificates'>, id: number, other: number): boolean {
  return certificateOf(state, id)?.key === certificateOf(state, other)?.key;
}

/** The ids in cert/list of an account, or of all; obsolete ones are never listed. */
export function listed({ certificates }: Pick<State, 'certificates'>, account?: number): number[] {
  return certificates.flatMap((register, index) =>
    account !== undefined && account !== index
      ? []
      : register.flatMap(({ isObsolete }, number) =>
          number === 0 || isObsolete ? [] : [index * ACCOUNT + number],
        ),
  );
}

/** Names for sentences. */
export const nameOfPlace = (token: number): string => 'ABC'[placeOfToken(token)] ?? '?';
export const nameOfProcess = (index: number): string => 'PQR'[index] ?? '?';
