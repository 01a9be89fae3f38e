import {
  accountOf,
  certificateOf,
  type Entry,
  type Journal,
  listed,
  markedUid,
  type Resource,
  type State,
} from './state.ts';
import { asksFor, memoryOf, type Setting, type Turn } from './turn.ts';

type Claims = State['resources'];

/** The next look of an inventory, or its report (F13: the CA's list, the journal, the resources). */
export function goOnWithInventory(turn: Turn): string | undefined {
  const { state, rules } = turn;
  const { inventory } = state;
  if (!inventory) return undefined;
  const { ids, journal, resources } = inventory;
  if (rules.journalBeforeClaims ? !journal : resources && !journal) {
    state.inventory = { ...inventory, journal: state.journal ?? emptyJournal };
    return rules.journalBeforeClaims
      ? 'The inventory reads the journal.'
      : report(turn, ids, resources!, state.journal);
  }
  if (!rules.journalBeforeClaims) {
    state.inventory = { ...inventory, resources: state.resources };
    return 'The inventory lists the resources.';
  }
  return report(turn, ids, state.resources, journal);
}

function report(turn: Turn, ids: readonly number[], claims: Claims, journal: Journal | undefined): string {
  const { state } = turn;
  const found = ids.filter((id) => isOrphan(state, turn, claims, journal ?? emptyJournal, id));
  state.inventory = undefined;
  state.reported = [...new Set([...state.reported, ...found])].sort((a, b) => a - b);
  return `The inventory reports the orphans [${found.join(' ')}].`;
}

const emptyJournal: Journal = {
  version: 0,
  entries: [],
  highest: [],
  givenUp: [],
  released: [],
  undecided: [],
  abandoned: [],
  counter: 0,
};

function isOrphan(state: State, setting: Setting, claims: Claims, journal: Journal, id: number): boolean {
  const isFree = !isClaimed(state, claims, id) && !isAwaited(state, journal, id);
  return isFree && evidence(state, setting, journal, id) !== 'none';
}

/** A resource claims the id it names, and what carries the same key: a person may have reissued it. */
function isClaimed(state: State, claims: Claims, id: number): boolean {
  const key = certificateOf(state, id)?.key;
  return claims.some((resource) => {
    const claimed = resource?.status.certificateId ?? 0;
    return claimed > 0 && certificateOf(state, claimed)?.key === key;
  });
}

/** Whether an open entry may have bought it. */
function isAwaited(state: State, { entries }: Journal, id: number): boolean {
  const spec = certificateOf(state, id)?.spec;
  return entries.some(
    (entry) => entry.spec === spec && entry.account === accountOf(id) && id > floorOf(entry),
  );
}

function floorOf({ previousId, afterId }: Entry): number {
  return previousId || afterId;
}

/** Why an unclaimed certificate is held to be ours. */
function evidence(
  state: State,
  { marker }: Setting,
  { givenUp, released, undecided, abandoned }: Journal,
  id: number,
): 'certain' | 'possible' | 'none' {
  if (marker && markedUid(state, id) !== 0) return 'certain';
  if (givenUp.includes(id)) return 'certain';
  const certificate = certificateOf(state, id);
  const isPossible =
    released.includes(id) ||
    undecided.includes(id) ||
    abandoned.some(
      ({ spec, account, afterId }) => spec === certificate?.spec && account === accountOf(id) && id > afterId,
    );
  return isPossible ? 'possible' : 'none';
}

/** The invariant that a state breaks, if it does. */
export function brokenBy(state: State, setting: Setting): string | undefined {
  if (state.violation !== undefined) return state.violation;
  if (extras(state) > (setting.isStrict ? 0 : state.excuses)) return 'doubled';
  if (state.reported.some((id) => state.resources.some((resource) => resource?.status.certificateId === id)))
    return 'misreported';
  if (!isSettled(state)) return undefined;
  return listed(state).some((id) => isLost(state, setting, id)) ? 'lost' : undefined;
}

/** Certificates bought beyond the first for each need. */
function extras({ certificates }: State): number {
  const needs = certificates.flat().flatMap(({ need }) => (need === 0 ? [] : [need]));
  return needs.length - new Set(needs).size;
}

/** Bought by an entry, never the result of a resource, and on record nowhere. */
function isLost(state: State, setting: Setting, id: number): boolean {
  const { buyer, wasNamed, entry, isRevoked } = certificateOf(state, id)!;
  if (buyer === 0 || wasNamed || isRevoked) return false;
  if (state.forgotten.includes(id) || state.forgotten.includes(entry)) return false;
  const journal = state.journal ?? emptyJournal;
  if (isClaimed(state, state.resources, id) || isAwaited(state, journal, id)) return false;
  return evidence(state, setting, journal, id) === 'none';
}

function isSettled(state: State): boolean {
  if (
    !state.journal ||
    state.requests.length > 0 ||
    state.inventory ||
    state.processes.some(({ works }) => works.length > 0)
  )
    return false;
  return isAtRest(state);
}

/** Every resource has its certificate, or a person has been told what to do, and no other entry is open. */
export function isAtRest(state: State): boolean {
  const { resources, journal } = state;
  const waiting = new Set(
    (journal?.entries ?? []).filter((entry) => isForPerson(state, entry)).map(({ uid }) => uid),
  );
  const isDone = resources.every(
    (resource, place) => !resource || waiting.has(resource.uid) || isReady(state, resource, place),
  );
  return isDone && (journal?.entries ?? []).every(({ uid }) => waiting.has(uid));
}

/** The second reply in a row that was not believed is a condition. */
function isForPerson({ processes }: State, { id, doubts }: Entry): boolean {
  const memory = processes.filter(({ leads }) => leads).map((process) => memoryOf(process, id));
  return doubts > 0 && memory.some((each) => each?.isMisfit === true && each.bought === 0);
}

function isReady(state: State, resource: Resource, place: number): boolean {
  const { status } = resource;
  const secret = state.secrets[place];
  const certificate = certificateOf(state, status.certificateId);
  // A forged status without a Secret that proves it waits for a person.
  if (status.isForged) {
    const held = certificateOf(state, secret?.certificateId ?? 0);
    const isProven = secret?.uid === resource.uid && held?.key === secret.key && !held.isRevoked;
    return !isProven;
  }
  if (!certificate || certificate.due > 0) return false;
  const isHeld =
    secret?.certificateId === status.certificateId && secret.uid === resource.uid && secret.key !== 0;
  return isHeld && asksFor(resource, { spec: status.spec, account: accountOf(status.certificateId) });
}
