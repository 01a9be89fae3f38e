import type { Rules } from '../rules.ts';
import {
  ACCOUNT,
  accountOf,
  type Certificate,
  certificateOf,
  type Entry,
  type Journal,
  type Memory,
  nameOfProcess,
  type Process,
  type Resource,
  type Secret,
  type State,
  type View,
  type Work,
} from './state.ts';

/** What stays the same during a search. */
export interface Setting {
  rules: Rules;
  /** The issuer option `ownershipMarker`. */
  marker: boolean;
  /** People do at any time what they can: buy the same while an attempt is open, reissue what no status names yet. */
  peopleAtAnyTime: boolean;
  /** What is given up is revoked. */
  revokes: boolean;
  /** How many entries the journal has room for. */
  room: number;
  /** The place whose tenant has written a text that no object has room for; -1 for none. */
  longText: number;
  /** The CRDs are older than the operator, and drop what a result says. */
  oldCrds: boolean;
  /** Nothing is excused, so that the price of the admitted limits shows. */
  isStrict: boolean;
}

/** A step being taken: the state is the step's own copy, whose parts are replaced and never changed. */
export interface Turn extends Setting {
  state: { -readonly [Field in keyof State]: State[Field] };
}

/** A value that nothing else equals. */
export function token(turn: Turn): number {
  turn.state.nextToken += 1;
  return turn.state.nextToken;
}

export function processOf({ state }: Turn, p: number): Process {
  return state.processes[p]!;
}

export function setProcess(turn: Turn, p: number, change: Partial<Process>): void {
  const { processes } = turn.state;
  turn.state.processes = processes.with(p, { ...processes[p]!, ...change });
}

/** Begins a piece of work, or goes on with it. Works stand in the order of places, an older uid first. */
export function setWork(turn: Turn, p: number, work: Work): void {
  const others = processOf(turn, p).works.filter(({ uid }) => uid !== work.uid);
  const works = [...others, work].sort((a, b) => a.place - b.place || a.uid - b.uid);
  setProcess(turn, p, { works });
}

/** The work ends. */
export function endWork(turn: Turn, p: number, uid: number): void {
  setProcess(turn, p, { works: processOf(turn, p).works.filter((work) => work.uid !== uid) });
}

/** The work ends with a sentence. */
export function dropped(turn: Turn, p: number, work: Work, why: string): string {
  endWork(turn, p, work.uid);
  return `${why}; ${nameOfProcess(p)} drops the work.`;
}

/** The process ends, and starts again as a standby. */
export function exited(turn: Turn, p: number, why: string): string {
  setProcess(turn, p, { phase: 'standby', ...nothingKnown });
  return `${why}; ${nameOfProcess(p)} exits.`;
}

/** What a process does not have before its takeover. */
export const nothingKnown = {
  wait: 0,
  journal: undefined,
  works: [],
  memory: [],
  inventory: [],
} satisfies Partial<Process>;

export function setView(turn: Turn, p: number, place: number, change: Partial<View>): void {
  const { views } = processOf(turn, p);
  setProcess(turn, p, { views: views.with(place, { ...views[place]!, ...change }) });
}

export function memoryOf(process: Process, entry: number): Memory | undefined {
  return process.memory.find((memory) => memory.entry === entry);
}

/** Notes something about an open entry; what it says of entries that are no more is forgotten. */
export function setMemory(turn: Turn, p: number, entry: number, change: Partial<Memory>): void {
  const process = processOf(turn, p);
  const before = memoryOf(process, entry) ?? newMemory(entry);
  const others = process.memory.filter((memory) => memory.entry !== entry);
  setProcess(turn, p, { memory: [...others, { ...before, ...change }] });
}

export function newMemory(entry: number): Memory {
  return { entry, wait: 0, isUnsent: false, bought: 0, isMisfit: false, isDoubted: false };
}

/** What an entry says it has bought; of one that was put back that may have been given up since. */
function boughtIn({ id, bought, isPutBack }: Entry): Memory {
  return { ...newMemory(id), bought: isPutBack ? 0 : bought };
}

/** A process takes a version of the journal for the present one; it first sees the entries that it did not know. */
export function setJournal(turn: Turn, p: number, journal: Journal): void {
  const process = processOf(turn, p);
  const memory = journal.entries.map((entry) => memoryOf(process, entry.id) ?? boughtIn(entry));
  setProcess(turn, p, { journal, memory });
}

/** Writes a resource with a new version. Returns what was written. */
export function setResource(turn: Turn, place: number, resource: Resource): Resource {
  const written = { ...resource, version: token(turn) };
  turn.state.resources = turn.state.resources.with(place, written);
  return written;
}

/** Changes what the CA has of a certificate. */
export function setCertificate(turn: Turn, id: number, change: Partial<Certificate>): void {
  const { certificates } = turn.state;
  const account = accountOf(id);
  const register = certificates[account]!;
  const changed = { ...register[id % ACCOUNT]!, ...change };
  turn.state.certificates = certificates.with(account, register.with(id % ACCOUNT, changed));
}

/** Notes ids as known to a process. */
export function learnIds(turn: Turn, p: number, ids: readonly number[]): void {
  const known = [...processOf(turn, p).known];
  for (const id of ids) {
    const account = accountOf(id);
    known[account] = Math.max(known[account] ?? 0, id);
  }
  setProcess(turn, p, { known });
}

/** Whether two ids name the same certificate. */
export function isSame({ rules }: Pick<Setting, 'rules'>, a: number, b: number): boolean {
  if (a === 0 || b === 0) return false;
  return rules.idsByAccount ? a === b : a % ACCOUNT === b % ACCOUNT;
}

/** Whether an id is above another one; ids of two accounts cannot be compared. */
export function isAbove({ rules }: Pick<Setting, 'rules'>, a: number, b: number): boolean {
  if (a === 0 || b === 0) return a > b;
  if (!rules.idsByAccount) return a % ACCOUNT > b % ACCOUNT;
  return accountOf(a) !== accountOf(b) || a > b;
}

/** The highest id known of an account. */
export function highestOf(
  { rules }: Pick<Setting, 'rules'>,
  ids: readonly number[],
  account: number,
): number {
  if (rules.idsByAccount) return ids[account] ?? 0;
  const highest = Math.max(0, ...ids.map((id) => id % ACCOUNT));
  return highest === 0 ? 0 : account * ACCOUNT + highest;
}

/** Whether a status can be believed. */
export function isSealed({ rules }: Pick<Setting, 'rules'>, resource: Resource): boolean {
  return !rules.sealed || !resource.status.isForged;
}

/** The id that a resource claims under its seal. */
export function claimOf(turn: Turn, resource: Resource): number {
  return isSealed(turn, resource) ? resource.status.certificateId : 0;
}

/** The id that a Secret proves by its private key, if it is the resource's own; else 0. */
export function provenId(
  { rules, state }: Turn,
  resource: Resource,
  secret: Secret | undefined,
  isOwn = true,
): number {
  if (!secret || (isOwn && secret.uid !== resource.uid)) return 0;
  const certificate = certificateOf(state, secret.certificateId);
  if (!certificate || certificate.isRevoked) return 0;
  return !rules.proofByKey || certificate.key === secret.key ? secret.certificateId : 0;
}

/** The id that the own Secret holds above the status, if it is for this request; else 0. */
export function heldAbove(
  turn: Turn,
  resource: Resource,
  secret: Secret | undefined,
  { spec, account }: { spec: number; account: number },
): number {
  const { rules, state } = turn;
  const id = provenId(turn, resource, secret);
  const isAskedFor = !rules.ownSecretFits || certificateOf(state, id)?.spec === spec;
  const isFit = isAskedFor && (accountOf(id) === account || !rules.idsByAccount);
  const floor = isSealed(turn, resource) ? resource.status.certificateId : 0;
  return isFit && isAbove(turn, id, floor) ? id : 0;
}

/** Whether a resource still asks for what an entry, or anything else, was made for. */
export function asksFor(
  resource: Pick<Resource, 'spec' | 'account'>,
  asked: { spec: number; account: number },
): boolean {
  return resource.spec === asked.spec && resource.account === asked.account;
}

/**
 * Whether what an entry buys is not wanted any more: its resource is gone, asks for something else, or has had its
 * certificate from another entry meanwhile (F10).
 */
export function isOutdated(turn: Turn, resource: Resource | undefined, entry: Entry): boolean {
  if (
    !resource ||
    !asksFor(resource, turn.rules.accountOfEntry ? entry : { ...entry, account: resource.account })
  ) {
    return true;
  }
  const { spec, certificateId, revision } = resource.status;
  if (!turn.rules.reachedDropped || !isSealed(turn, resource) || revision < entry.revision) return false;
  return asksFor({ spec, account: accountOf(certificateId) }, entry);
}

/** Ends the search with this finding. */
export function violate(turn: Turn, finding: string): void {
  turn.state.violation ??= finding;
}

/** The second reply in a row that was not believed is a condition. */
export function isForPerson({ processes }: State, { id, doubts }: Entry): boolean {
  const memory = processes.filter(({ leads }) => leads).map((process) => memoryOf(process, id));
  return doubts > 0 && memory.some((each) => each?.isMisfit === true && each.bought === 0);
}
