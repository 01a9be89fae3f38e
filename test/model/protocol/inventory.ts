import {
  accountOf,
  certificateOf,
  type Entry,
  type Inventory,
  type Journal,
  listed,
  markedUid,
  type State,
} from '../world/state.ts';
import type { Setting, Turn } from '../world/turn.ts';

type Claims = State['resources'];

type Part = keyof Inventory;

/** The next look of an inventory, or its report (F13: the CA's list, the journal, the resources). */
export function goOnWithInventory(turn: Turn): string | undefined {
  const { state } = turn;
  const { inventory } = state;
  if (!inventory) return undefined;
  const [part, next] = order(turn).filter((each) => !inventory[each]);
  if (part === undefined) return undefined;
  const { resources, journal = emptyJournal } = state;
  const read = { ...inventory, [part]: { ids: listed(state), journal, resources }[part] };
  state.inventory = read;
  const what = `The inventory ${SENTENCES[part]}`;
  return next === undefined ? `${what} and ${report(turn, read)}` : `${what}.`;
}

function order({ rules }: Turn): Part[] {
  const claims: Part[] = rules.journalBeforeClaims ? ['journal', 'resources'] : ['resources', 'journal'];
  return rules.inventoryListsFirst ? ['ids', ...claims] : [...claims, 'ids'];
}

const SENTENCES: Record<Part, string> = {
  ids: 'lists the certificates of the CA',
  journal: 'reads the journal',
  resources: 'lists the resources',
};

function report(turn: Turn, { ids = [], resources = [], journal = emptyJournal }: Inventory): string {
  const { state } = turn;
  const found = ids.filter((id) => isOrphan(state, turn, resources, journal, id));
  state.inventory = undefined;
  state.reported = [...new Set([...state.reported, ...found])].sort((a, b) => a - b);
  return `reports the orphans [${found.join(' ')}].`;
}

/** A journal that says nothing. */
export const emptyJournal: Journal = {
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
  const isAskedFor = setting.rules.inventorySkipsOpen && isAwaited(state, journal, id);
  const isFree = !isClaimed(state, claims, id) && !isAskedFor;
  return isFree && evidence(state, setting, journal, id) !== 'none';
}

/** A resource claims the id it names, and what carries the same key: a person may have reissued it. */
export function isClaimed(state: State, claims: Claims, id: number): boolean {
  const key = certificateOf(state, id)?.key;
  return claims.some((resource) => {
    const claimed = resource?.status.certificateId ?? 0;
    return claimed > 0 && certificateOf(state, claimed)?.key === key;
  });
}

/** Whether an open entry may have bought it. */
export function isAwaited(state: State, { entries }: Journal, id: number): boolean {
  const spec = certificateOf(state, id)?.spec;
  return entries.some(
    (entry) => entry.spec === spec && entry.account === accountOf(id) && id > floorOf(entry),
  );
}

function floorOf({ previousId, afterId }: Entry): number {
  return previousId || afterId;
}

/** Why an unclaimed certificate is held to be ours. */
export function evidence(
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
