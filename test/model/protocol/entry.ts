import { accountOf, certificateOf, type Entry, type Resource, tokenOfPlace } from '../world/state.ts';
import { asksFor, highestOf, isSealed, token, type Turn } from '../world/turn.ts';

/** The highest id known when the journal is written. */
export const FRESH = -1;

/** What an entry takes over from the one that it replaces. */
export interface Kept {
  replaced?: Entry;
  afterId?: number;
  windows?: readonly number[];
  doubts?: number;
}

/** An entry to be written; the write of the journal gives it what it lacks. A status without its seal says nothing. */
export function newEntry(
  turn: Turn,
  { uid, place }: { uid: number; place: number },
  resource: Resource,
  operation: Entry['operation'],
  { replaced, afterId = FRESH, windows = [], doubts = replaced?.doubts ?? 0 }: Kept = {},
): Entry {
  const { spec, account, status } = resource;
  const isBelieved = isSealed(turn, resource) || !replaced;
  const isAgain = turn.rules.againAsItWas && replaced?.operation === 'Reissue';
  const previousId = isAgain || !isBelieved ? replaced.previousId : status.certificateId;
  // A reissue hands out the key of what the status names.
  const asked = isSealed(turn, resource) ? operation : 'New';
  return {
    id: token(turn),
    uid,
    place: tokenOfPlace(place),
    operation: asked,
    spec,
    account,
    revision: isBelieved ? status.revision + 1 : replaced.revision,
    need: needOf(turn, resource),
    previousId: asked === 'Reissue' ? previousId : 0,
    afterId,
    windows,
    doubts,
    bought: 0,
    isPutBack: false,
  };
}

/** The entry as it goes into the journal: with what is known then, and a window of its own. */
export function opened(turn: Turn, entry: Entry, known: readonly number[], id = entry.id): Entry {
  const { afterId, account, windows } = entry;
  const floor = afterId === FRESH ? highestOf(turn, known, account) : afterId;
  return { ...entry, id, afterId: floor, windows: [token(turn), ...windows] };
}

function needOf({ state }: Turn, { spec, account, need, status }: Resource): number {
  if (status.isForged) return need;
  const id = status.certificateId;
  const isSame = asksFor({ spec, account }, { spec: status.spec, account: accountOf(id) });
  return (isSame && certificateOf(state, id)?.due) || need;
}

/** The windows of entries open with them. */
export function openWindows(turn: Turn, entries: readonly Entry[]): void {
  const { windows, certificates } = turn.state;
  const from = certificates.map(({ length }) => length);
  const fresh = entries.flatMap(({ windows: [own] }) =>
    own === undefined || windows.some(({ id }) => id === own) ? [] : [{ id: own, age: 0, from }],
  );
  turn.state.windows = [...windows, ...fresh];
}
