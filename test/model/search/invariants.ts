import { emptyJournal, evidence, isAwaited, isClaimed } from '../protocol/inventory.ts';
import { accountOf, certificateOf, listed, type Resource, type State } from '../world/state.ts';
import { asksFor, isForPerson, type Setting } from '../world/turn.ts';

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
  let bought = 0;
  const needs = new Set<number>();
  for (const register of certificates) {
    for (const { need } of register) {
      if (need === 0) continue;
      bought += 1;
      needs.add(need);
    }
  }
  return bought - needs.size;
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
  const { resources, journal, isHalted } = state;
  if (isHalted) return true;
  const entries = journal?.entries ?? [];
  if (!entries.every((entry) => isForPerson(state, entry))) return false;
  return resources.every(
    (resource, place) =>
      !resource || entries.some(({ uid }) => uid === resource.uid) || isReady(state, resource, place),
  );
}

function isReady(state: State, resource: Resource, place: number): boolean {
  const { status } = resource;
  const secret = state.secrets[place];
  const certificate = certificateOf(state, status.certificateId);
  // A forged status without a Secret that proves it waits for a person.
  if (status.isForged) {
    const held = certificateOf(state, secret?.certificateId ?? 0);
    const isProven = secret?.uid === resource.uid && held?.key === secret.key && !held.isRevoked;
    return !isProven && asksFor(resource, { spec: status.spec, account: accountOf(status.certificateId) });
  }
  if (!certificate || certificate.due > 0) return false;
  const isHeld =
    secret?.certificateId === status.certificateId && secret.uid === resource.uid && secret.key !== 0;
  return isHeld && asksFor(resource, { spec: status.spec, account: accountOf(status.certificateId) });
}
