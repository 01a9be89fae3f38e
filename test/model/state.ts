/**
 * The world of the model. Certificate ids are positions in the CA's register, so that they rise as in life; 0 stands
 * for none. Versions, uids, attempt ids and windows are tokens: only whether two are equal means anything. Time is
 * counted in units: W, T and X are one unit each, and ages stop counting at QUIET = W + T + X.
 */
export const QUIET = 3;

export interface Attempt {
  id: number;
  operation: 'New' | 'Reissue';
  /** What is asked for: names and subject as one number. */
  spec: number;
  previousId: number;
  afterId: number;
  /** Shared by the attempts that replace one another; a certificate is in the window if it was issued during one. */
  window: number;
  /** Units since it was made. */
  age: number;
  /** The CA's answer or a recovery's finding; open until status holds it. */
  certificateId: number;
  /** The CA certainly did not act. */
  refused: boolean;
}

/** A TinyCertCertificate, spec and status. Replaced as a whole by every write. */
export interface Resource {
  uid: number;
  version: number;
  spec: number;
  isDue: boolean;
  isDeleting: boolean;
  /** Somebody else wrote its status, so that the seal does not fit. */
  isForged: boolean;
  certificateId: number;
  /** What `certificateId` was asked for with. */
  issuedSpec: number;
  revision: number;
  attempt: Attempt | undefined;
}

export interface Secret {
  version: number;
  certificateId: number;
  /** The resource it was written for. */
  uid: number;
}

/** What is written on the issuer. */
export interface Records {
  /** Bought by this installation for certain. */
  givenUp: readonly number[];
  /** Candidates that a recovery could not tell to be anybody's. */
  undecided: readonly number[];
  /** Requests without a finding: they may have bought anything of this spec above the id. */
  abandoned: readonly { uid: number; resource: number; spec: number; afterId: number }[];
}

export interface Cluster {
  resources: readonly (Resource | undefined)[];
  secrets: readonly (Secret | undefined)[];
  records: Records;
}

export interface Certificate {
  spec: number;
  /** The id under which its key was first issued. */
  key: number;
  /** Uid of the resource for which an attempt bought it; 0: a person or another installation did. */
  buyer: number;
  /** Which resource that is or was, whatever its uid; -1 for a stranger. */
  place: number;
  revision: number;
  isObsolete: boolean;
  isRevoked: boolean;
  /** Windows of the attempts within whose W + T + X it was issued, and of those made longer ago. */
  windows: readonly number[];
  later: readonly number[];
}

/** A request to the CA on its way. */
export interface Request {
  attempt: Attempt;
  uid: number;
  resource: number;
  revision: number;
  process: number;
  /** Units in which the CA may still act: T and X from sending. */
  left: number;
  /** 0: it acts within T; 1: within T + X; 2: the named exception, later. */
  patience: 0 | 1 | 2;
}

/** Steps of a piece of work, named as in the code. */
export type StepName =
  | 'attempt'
  | 'send'
  | 'reply'
  | 'record'
  | 'secret'
  | 'result'
  | 'vanish'
  | 'previous'
  | 'list'
  | 'live'
  | 'cluster';

/** One reconcile under way: what it has seen, and where it is. */
export interface Work {
  resource: number;
  next: StepName;
  /** The resource as decided on, then as written by this work. */
  seen: Resource;
  /** Version of the Secret when it was decided, 0 if absent. */
  secretVersion: number;
  operation: 'New' | 'Reissue';
  /** Units since before the attempt was written. */
  age: number;
  attempt: Attempt | undefined;
  /** What is to be published. */
  certificateId: number;
  /** The CA's answer: an id, 0 for none yet, -1 for NotLatest. */
  reply: number;
  /** What `record` writes, and the step after it. */
  toRecord: { givenUp: readonly number[]; undecided: readonly number[]; abandoned: boolean };
  afterRecord: StepName;
  /** What the looks of a recovery have shown. */
  isPreviousObsolete: boolean;
  candidates: readonly number[];
  strangers: readonly number[];
  /** Ids that were not in the list and are below the highest that was. */
  missing: readonly number[];
  others: Cluster | undefined;
}

/** What a process remembers of an open attempt. */
export interface Memory {
  attempt: number;
  /** Units since it was first seen. */
  wait: number;
  unsent: boolean;
  bought: number;
}

export interface Process {
  leads: boolean;
  /** The highest certificate id it knows of. */
  highestId: number;
  memory: readonly (Memory | undefined)[];
  work: Work | undefined;
}

export interface State extends Cluster {
  certificates: readonly Certificate[];
  requests: readonly Request[];
  processes: readonly Process[];
  /** How often each event may still happen, in the order of `eventNames`, and how many in all. */
  left: readonly number[];
  events: number;
  snapshot: Cluster | undefined;
  /** An inventory half done: one of its two looks. */
  inventory: { ids?: readonly number[]; cluster?: Cluster } | undefined;
  /** Ids that an inventory has reported as orphans. */
  reported: readonly number[];
  /** Ids that a forger erased from a status; without a Secret that proves them nobody can know of them. */
  hidden: readonly number[];
  /** Exceptional windows that the design names, each of which may cost one certificate. */
  excuses: number;
  /** Found out that the CRDs are too old. */
  isHalted: boolean;
  /** A rule was broken by the last step itself. */
  violation: string | undefined;
  nextToken: number;
}

/** Whether the last attempt has no result yet. */
export function isOpen(resource: Resource): boolean {
  const { attempt } = resource;
  if (!attempt || attempt.refused) return false;
  return attempt.certificateId === 0 || attempt.certificateId !== resource.certificateId;
}

/** Whose key a certificate carries: the uid for which the key was bought, 0 for a stranger's. */
export function ownerOf(state: Pick<State, 'certificates'>, id: number): number {
  const certificate = state.certificates[id];
  return certificate ? (state.certificates[certificate.key]?.buyer ?? 0) : 0;
}

/** The resource that the key of a certificate belongs to, whatever its uid is now; -1 for a stranger's. */
export function placeOf(state: Pick<State, 'certificates'>, id: number): number {
  const certificate = state.certificates[id];
  return certificate ? (state.certificates[certificate.key]?.place ?? -1) : -1;
}

/** The ids in cert/list: obsolete ones are never listed. */
export function listed({ certificates }: Pick<State, 'certificates'>): number[] {
  return certificates.flatMap(({ isObsolete }, id) => (id === 0 || isObsolete ? [] : [id]));
}

/** Names for sentences. */
export const resourceName = (index: number): string => 'AB'[index] ?? '?';
export const processName = (index: number): string => 'PQ'[index] ?? '?';

/** A resource that has just been created. */
export function newResource(uid: number): Resource {
  return {
    uid,
    version: 0,
    spec: 0,
    isDue: false,
    isDeleting: false,
    isForged: false,
    certificateId: 0,
    issuedSpec: 0,
    revision: 0,
    attempt: undefined,
  };
}
