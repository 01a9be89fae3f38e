import {
  certificateOf,
  type Entry,
  type Giving,
  type Journal,
  nameOfPlace,
  nameOfProcess,
  nothingGiven,
  nothingSeen,
  type Resource,
  type Work,
} from '../world/state.ts';
import {
  asksFor,
  claimOf,
  dropped,
  exited,
  heldAbove,
  isAbove,
  isOutdated,
  isSame,
  memoryOf,
  processOf,
  provenId,
  setMemory,
  setWork,
  type Turn,
} from '../world/turn.ts';
import { FRESH, newEntry } from './entry.ts';
import { type Look, lookAfter, looks, sentenceOf } from './looks.ts';

/** Takes a look of a recovery; F3: the Lease is looked at after it. The last look leads to the verdict. */
export function look(turn: Turn, p: number, work: Work): string {
  const name = work.next as Look;
  const entry = work.entry!;
  const who = `${nameOfProcess(p)}, recovering ${nameOfPlace(entry.place)},`;
  if (turn.rules.leaseAfterRead && !processOf(turn, p).leads)
    return exited(turn, p, `${who} has lost the Lease`);
  const seen = looks[name](turn, p, work, entry);
  if (typeof seen === 'string') return dropped(turn, p, work, `${who} ${seen}`);
  const looked = { ...work, ...seen };
  const next = lookAfter(turn, entry, name, looked.seen === undefined);
  const what = `${who} ${sentenceOf(name, looked)}`;
  if (next === undefined) return `${what}; ${verdict(turn, p, looked, entry)}`;
  setWork(turn, p, { ...looked, next });
  return `${what}.`;
}

function verdict(turn: Turn, p: number, work: Work, entry: Entry): string {
  const { state, rules, marker } = turn;
  const { seen } = work;
  const journal = processOf(turn, p).journal!;
  const { candidates, isPreviousObsolete } = work.looks;
  const secret = state.secrets[work.place];
  const isSecretSeen = (secret?.version ?? 0) === work.secretVersion;
  const isSuccessor = rules.successorStays && entry.operation === 'Reissue';
  const own = candidates.filter(
    (id) => isSuccessor || (!journal.givenUp.includes(id) && !journal.released.includes(id)),
  );
  const newest = Math.max(0, ...own);
  const isCertain = marker || entry.operation === 'Reissue';
  if (seen && rules.ownSecret && isSecretSeen) {
    const held = heldAbove(turn, seen, secret, entry);
    const isLater = isCertain && newest > held;
    if (held > 0 && !isLater && !journal.givenUp.includes(held))
      return takeHeld(turn, p, work, entry, held, own);
  }
  if (entry.operation === 'Reissue') {
    if (newest > 0) return adopt(turn, p, work, entry, newest, true);
    return again(turn, p, work, entry, [], isPreviousObsolete ? 'New' : 'Reissue');
  }
  if (marker && newest > 0) return adopt(turn, p, work, entry, newest, true);
  if (marker || own.length === 0) return again(turn, p, work, entry, [], 'New');
  if (!seen) return giveUp(turn, p, work, entry, own);
  const isAlone = own.length === 1 || !rules.oneCandidate;
  if (isAlone && isConclusive(turn, work, entry, newest, journal)) {
    return adopt(turn, p, work, entry, newest, false);
  }
  // The design names this: an undecided sole group costs a certificate, unless the Secret could have told.
  const hasTold = isSecretSeen && own.includes(provenId(turn, seen, secret));
  if (!hasTold && !isSecondDoubt(turn, p, entry)) state.excuses += 1;
  return again(turn, p, work, entry, own, 'New');
}

/** F9: what the resource's own Secret holds is adopted; what the entry may have bought besides is recorded with its removal. */
function takeHeld(
  turn: Turn,
  p: number,
  work: Work,
  entry: Entry,
  id: number,
  candidates: readonly number[],
): string {
  const others = candidates.filter((other) => other !== id);
  const isCertain = turn.marker || entry.operation === 'Reissue';
  const giving: Giving = {
    ...nothingGiven,
    ...(isCertain ? { givenUp: others } : { released: others }),
    isAbandoned: !candidates.includes(id),
  };
  const isAlone = others.length === 0 && !giving.isAbandoned;
  return adopt(turn, p, { ...work, giving: isAlone ? nothingGiven : giving }, entry, id, true);
}

/** Whether the only candidate can be nobody else's: no claim, no other resource, no other request. */
function isConclusive(turn: Turn, work: Work, entry: Entry, id: number, journal: Journal): boolean {
  const { state, rules } = turn;
  const all = work.others ?? state.resources;
  const others = all.filter((other): other is Resource => !!other && other.uid !== work.uid);
  const isRival = others.some((other) => asksFor(other, entry));
  const isOpen = journal.entries.some((other) => other.uid !== work.uid && asksFor(other, entry));
  const wasRival = journal.abandoned.some(
    (other) => other.uid !== work.uid && asksFor(other, entry) && isAbove(turn, id, other.afterId),
  );
  const isNamed = (of: number): boolean =>
    others.some((other) => isSame(turn, claimOf(turn, other), of)) ||
    journal.entries.some((other) => other.uid !== work.uid && isSame(turn, other.bought, of));
  const isReissued = work.looks.missing.some((missing) => {
    if (certificateOf(state, missing)?.spec !== entry.spec) return false;
    return isNamed(missing) || journal.givenUp.includes(missing);
  });
  const known = new Set([...journal.givenUp, ...journal.released, ...journal.undecided]);
  const isForeign = work.looks.strangers.some(
    (other) => !known.has(other) && !isNamed(other) && !isSame(turn, work.seen!.status.certificateId, other),
  );
  return (
    !entry.isPutBack &&
    !journal.undecided.includes(id) &&
    !(rules.skipClaimed && isNamed(id)) &&
    !(rules.skipReissued && isReissued) &&
    !(rules.sole && isRival) &&
    !wasRival &&
    !(rules.soleCountsEntries && isOpen) &&
    !(rules.foreignSeen && isForeign)
  );
}

/** What the looks have shown is used up with the verdict. */
function used(work: Work): Work {
  return { ...work, looks: nothingSeen, others: undefined };
}

function adopt(turn: Turn, p: number, looked: Work, entry: Entry, id: number, isCertain: boolean): string {
  const work = used(looked);
  const { seen, place } = work;
  const isPublished = turn.state.secrets[place]?.certificateId === id;
  const isKept = turn.rules.heldNotGivenUp && isPublished && isCertain;
  if (!seen || (isOutdated(turn, seen, entry) && !isKept))
    return giveUp(turn, p, work, entry, [id], isCertain);
  if (work.giving === nothingGiven) setMemory(turn, p, entry.id, { bought: id });
  setWork(turn, p, { ...work, certificateId: id, next: isPublished ? 'result' : 'secret' });
  return `it adopts ${id}${isPublished ? ', which the Secret holds' : ''}.`;
}

/** F13: what is not wanted any more is recorded with the removal. */
function giveUp(
  turn: Turn,
  p: number,
  looked: Work,
  entry: Entry,
  found: readonly number[],
  isCertain = false,
): string {
  const ids = found.filter((id) => id !== looked.seen?.status.certificateId);
  const isOurs = isCertain || !turn.rules.unmarkedKept;
  const giving: Giving = {
    ...nothingGiven,
    ...(isOurs ? { givenUp: ids } : { released: ids }),
    isAbandoned: !isCertain,
  };
  setWork(turn, p, { ...used(looked), next: 'remove', removes: entry.id, giving });
  return `it gives up [${ids.join(' ')}].`;
}

function again(
  turn: Turn,
  p: number,
  looked: Work,
  entry: Entry,
  undecided: readonly number[],
  operation: Entry['operation'],
): string {
  const work = used(looked);
  const { seen } = work;
  if (!seen || isOutdated(turn, seen, entry)) return giveUp(turn, p, work, entry, undecided);
  // The CA reissues the latest certificate of a chain only: to ask again can buy nothing twice.
  if (turn.rules.replyOnce && operation === 'New' && isSecondDoubt(turn, p, entry)) {
    setMemory(turn, p, entry.id, { isMisfit: true });
    return dropped(turn, p, work, 'it adopts none and waits for a person');
  }
  const isKept = undecided.length > 0 || !turn.rules.freshAfterId;
  const next = newEntry(turn, work, seen, operation, {
    afterId: isKept ? entry.afterId : FRESH,
    windows: entry.windows,
    replaced: entry,
    doubts: entry.doubts + (isDoubted(turn, p, entry) ? 1 : 0),
  });
  const giving: Giving = { ...nothingGiven, undecided, isAbandoned: true };
  setWork(turn, p, { ...work, next: 'enter', entry: next, removes: entry.id, giving });
  return `it adopts none: ${operation}.`;
}

function isDoubted(turn: Turn, p: number, { id }: Entry): boolean {
  return memoryOf(processOf(turn, p), id)?.isDoubted ?? false;
}

function isSecondDoubt(turn: Turn, p: number, entry: Entry): boolean {
  return entry.doubts > 0 && isDoubted(turn, p, entry);
}
