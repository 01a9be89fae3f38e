import { type Cluster, isOpen, listed, ownerOf, type Resource, type State } from './state.ts';
import type { Setting, Turn } from './turn.ts';

/** What an inventory reports as orphans: of the CA's list what nobody claims and what there is evidence for. */
export function orphans(state: State, setting: Setting, ids: readonly number[], cluster: Cluster): number[] {
  return ids.filter(
    (id) =>
      !isClaimed(state, cluster, id) &&
      !isAwaited(state, setting, cluster, id) &&
      evidence(state, setting, cluster, id) !== 'none',
  );
}

/** The second look of an inventory, and its report. */
export function finishInventory(turn: Turn): string | undefined {
  const { state } = turn;
  const { inventory } = state;
  if (!inventory) return undefined;
  const found = orphans(state, turn, inventory.ids ?? listed(state), inventory.cluster ?? state);
  state.inventory = undefined;
  state.reported = [...new Set([...state.reported, ...found])].sort((a, b) => a - b);
  return `The inventory reports the orphans [${found.join(' ')}].`;
}

/** A resource claims the id it names, and what carries the same key: a person may have reissued it. */
function isClaimed(state: State, { resources }: Cluster, id: number): boolean {
  const key = state.certificates[id]?.key;
  return resources.some(
    (resource) =>
      resource &&
      [resource.certificateId, resource.attempt?.certificateId ?? 0].some(
        (claimed) => claimed > 0 && state.certificates[claimed]?.key === key,
      ),
  );
}

/** Whether an open attempt may have bought it. */
function isAwaited(state: State, { rules }: Setting, { resources }: Cluster, id: number): boolean {
  return (
    rules.inventorySkipsOpen &&
    resources.some((resource) => {
      if (!resource || !isOpen(resource)) return false;
      const { spec, afterId, previousId } = resource.attempt!;
      return state.certificates[id]?.spec === spec && id > (previousId || afterId);
    })
  );
}

/** Why an unclaimed certificate is held to be ours. Without a marker a replaced attempt makes it possible, not certain. */
function evidence(
  state: State,
  { marker }: Setting,
  { records }: Cluster,
  id: number,
): 'certain' | 'possible' | 'none' {
  if (marker && ownerOf(state, id) !== 0) return 'certain';
  if (records.givenUp.includes(id)) return 'certain';
  const spec = state.certificates[id]?.spec;
  const isPossible =
    records.undecided.includes(id) ||
    records.abandoned.some((attempt) => attempt.spec === spec && id > attempt.afterId);
  return isPossible ? 'possible' : 'none';
}

/** The invariant that a state breaks, if it does. */
export function brokenBy(state: State, setting: Setting): string | undefined {
  if (state.violation !== undefined) return state.violation;
  if (extras(state) > state.excuses) return 'doubled';
  if (state.reported.some((id) => state.resources.some((resource) => resource?.certificateId === id)))
    return 'misreported';
  if (!isSettled(state)) return undefined;
  const found = orphans(state, setting, listed(state), state);
  for (const id of listed(state)) {
    const isOurs = ownerOf(state, id) !== 0;
    const isBought = state.certificates[id]!.buyer !== 0 && !state.hidden.includes(id);
    const { isRevoked } = state.certificates[id]!;
    if (isBought && !isRevoked && !found.includes(id) && !isClaimed(state, state, id)) return 'lost';
    if (!isOurs && found.includes(id) && evidence(state, setting, state, id) === 'certain')
      return 'misreported';
  }
  return undefined;
}

/** Certificates bought beyond the first of each resource, revision and spec. */
function extras({ certificates }: State): number {
  const bought = certificates.filter(({ buyer }) => buyer !== 0);
  return (
    bought.length - new Set(bought.map(({ buyer, revision, spec }) => `${buyer} ${revision} ${spec}`)).size
  );
}

/** Every resource has the certificate it wants in its Secret, and nothing is under way. */
export function isSettled(state: State): boolean {
  if (state.requests.length > 0 || state.inventory || state.processes.some(({ work }) => work)) return false;
  return isReady(state);
}

/** Every resource has the certificate it wants in its Secret, but for those that `isExcused`. */
export function isReady({ resources, secrets }: State, isExcused?: (resource: Resource) => boolean): boolean {
  return resources.every((resource, r) => {
    if (!resource || isExcused?.(resource)) return true;
    const { certificateId, issuedSpec, spec, isDue, isDeleting } = resource;
    const isHeld = certificateId > 0 && secrets[r]?.certificateId === certificateId;
    return isHeld && issuedSpec === spec && !isDue && !isDeleting && !isOpen(resource);
  });
}
