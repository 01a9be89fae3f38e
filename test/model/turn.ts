import type { Rules } from './rules.ts';
import { type Memory, type Process, processName, type Resource, type State, type Work } from './state.ts';

/** What stays the same during a search. */
export interface Setting {
  rules: Rules;
  /** The issuer option `ownershipMarker`. */
  marker: boolean;
  /** The CRDs are older than the operator: they drop the attempt without a word. */
  oldCrds: boolean;
  /** People do at any time what they can: buy the same while an attempt is made, reissue what no status names yet. */
  peopleAtAnyTime: boolean;
  /** `revocation.onDelete` and `onReplace` are Revoke. */
  revokes: boolean;
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

export function setProcess(turn: Turn, p: number, change: Partial<Process>): void {
  const { processes } = turn.state;
  turn.state.processes = processes.with(p, { ...processes[p]!, ...change });
}

/** Goes on with the work, or ends it. */
export function setWork(turn: Turn, p: number, work: Work | undefined): void {
  setProcess(turn, p, { work });
}

export function setMemory(turn: Turn, p: number, r: number, change: Partial<Memory>): void {
  const { memory } = turn.state.processes[p]!;
  const before = memory[r] ?? { attempt: 0, wait: 0, unsent: false, bought: 0 };
  setProcess(turn, p, { memory: memory.with(r, { ...before, ...change }) });
}

/** Writes a resource, with a new version; undefined removes it. Returns what was written. */
export function setResource(turn: Turn, r: number, resource: Resource): Resource {
  const written = { ...resource, version: token(turn) };
  turn.state.resources = turn.state.resources.with(r, written);
  return written;
}

/** Notes an id as known to a process. */
export function learnId(turn: Turn, p: number, id: number): void {
  const { highestId } = turn.state.processes[p]!;
  if (id > highestId) setProcess(turn, p, { highestId: id });
}

/** cert/status revoked. */
export function revoke(turn: Turn, id: number): void {
  const { certificates } = turn.state;
  const certificate = certificates[id];
  if (!certificate || certificate.isObsolete) return;
  turn.state.certificates = certificates.with(id, { ...certificate, isRevoked: true });
}

/**
 * A step of a piece of work: changes the turn's state and says in a sentence what happened; undefined if it cannot be
 * taken now.
 */
export type Take = (turn: Turn, p: number, work: Work) => string | undefined;

export const nothing: Work['toRecord'] = { givenUp: [], undecided: [], abandoned: false };

/** On to the Secret; what a new certificate replaces is given up first. */
export function publishing(turn: Turn, p: number, work: Work, sentence: string): string {
  const { seen, attempt } = work;
  const old = attempt?.operation === 'New' && !seen.isForged ? seen.certificateId : 0;
  const isNoted = turn.state.records.givenUp.includes(old);
  if (old === 0 || isNoted || !turn.rules.recordGivenUp) setWork(turn, p, { ...work, next: 'secret' });
  else
    setWork(turn, p, {
      ...work,
      next: 'record',
      afterRecord: 'secret',
      toRecord: { ...nothing, givenUp: [old] },
    });
  return sentence;
}

/** The id that the own Secret holds, if it is above another and was asked for with the same; else 0. */
export function inOwnSecret(
  { state, rules }: Turn,
  { resource: r, seen }: Work,
  spec: number,
  above: number,
): number {
  const held = state.secrets[r];
  if (held?.uid !== seen.uid || held.certificateId <= above) return 0;
  const isFit = !rules.ownSecretFits || state.certificates[held.certificateId]?.spec === spec;
  return isFit ? held.certificateId : 0;
}

/** The work ends. */
export function dropped(turn: Turn, p: number, why: string): string {
  setWork(turn, p, undefined);
  return `${why}; ${processName(p)} drops the work.`;
}

/** Ends the search with this finding. */
export function violate(turn: Turn, finding: string): void {
  turn.state.violation ??= finding;
}
