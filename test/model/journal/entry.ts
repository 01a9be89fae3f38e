import { accountOf, certificateOf, type Entry, type Resource, tokenOfPlace } from './state.ts';
import { asksFor, isSealed, token, type Turn } from './turn.ts';

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
  return {
    id: token(turn),
    uid,
    place: tokenOfPlace(place),
    operation,
    spec,
    account,
    revision: isBelieved ? status.revision + 1 : replaced.revision,
    need: needOf(turn, resource),
    previousId: operation === 'Reissue' ? previousId : 0,
    afterId,
    windows,
    doubts,
    isPutBack: false,
  };
}

function needOf({ state }: Turn, { spec, account, need, status }: Resource): number {
  const id = status.certificateId;
  const isSame = asksFor({ spec, account }, { spec: status.spec, account: accountOf(id) });
  return (isSame && certificateOf(state, id)?.due) || need;
}
