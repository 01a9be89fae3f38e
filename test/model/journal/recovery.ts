import {
  accountOf,
  certificateOf,
  type Entry,
  type Giving,
  type Journal,
  listed,
  markedUid,
  nameOfPlace,
  nameOfProcess,
  nothingGiven,
  nothingSeen,
  type Resource,
  type StepName,
  type Work,
} from './state.ts';
import {
  asksFor,
  dropped,
  exited,
  heldAbove,
  isAbove,
  isOutdated,
  isSame,
  isSealed,
  learnIds,
  memoryOf,
  processOf,
  provenId,
  setMemory,
  setView,
  setWork,
  type Turn,
} from './turn.ts';
import { FRESH, newEntry } from './entry.ts';

type Look = Extract<StepName, 'previous' | 'list' | 'live' | 'cluster'>;

/** A look of a recovery, or a sentence that ends the work. */
type TakeLook = (turn: Turn, p: number, work: Work, entry: Entry) => Partial<Work> | string;

const looks: Record<Look, TakeLook> = { previous, list, live, cluster };

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
  const all = order(turn, entry, looked.seen === undefined);
  const next = all[all.indexOf(name) + 1];
  const what = `${who} ${sentenceOf(name, looked)}`;
  if (next === undefined) return `${what}; ${verdict(turn, p, looked, entry)}`;
  setWork(turn, p, { ...looked, next });
  return `${what}.`;
}

export function firstLook({ operation }: Entry): Look {
  return operation === 'Reissue' ? 'previous' : 'list';
}

/** A LIST of the cluster is needed only where nothing marks what is ours. */
function order({ marker }: Turn, { operation }: Entry, isGone: boolean): Look[] {
  if (operation === 'Reissue') return ['previous', 'list', 'live'];
  return marker || isGone ? ['list', 'live'] : ['list', 'live', 'cluster'];
}

function sentenceOf(name: Look, { looks: { isPreviousObsolete, candidates }, seen }: Work): string {
  if (name === 'previous') return `sees that the previous one is ${isPreviousObsolete ? '' : 'not '}obsolete`;
  if (name === 'list') return `lists the candidates [${candidates.join(' ')}]`;
  if (name === 'cluster') return 'lists the cluster';
  return seen ? 'finds resource and Secret unchanged' : 'finds it gone';
}

function previous({ state }: Turn, _p: number, work: Work, { previousId }: Entry): Partial<Work> {
  const isPreviousObsolete = certificateOf(state, previousId)?.isObsolete ?? true;
  return { looks: { ...work.looks, isPreviousObsolete } };
}

/** cert/list of the account, and the details of what it shows. */
function list(turn: Turn, p: number, work: Work, entry: Entry): Partial<Work> {
  const { state, rules } = turn;
  const account = rules.accountOfEntry ? entry.account : (work.seen?.account ?? entry.account);
  const all = listed(state, account);
  learnIds(turn, p, all);
  const ids = all.filter((id) => !certificateOf(state, id)!.isRevoked);
  const alike = ids.filter((id) => certificateOf(state, id)!.spec === entry.spec);
  const candidates =
    entry.operation === 'Reissue'
      ? ids.filter((id) => isAbove(turn, id, entry.previousId) && hasKeyOf(turn, id, entry.previousId))
      : alike.filter((id) => isAbove(turn, id, entry.afterId) && isOwn(turn, entry, id));
  const highest = Math.max(0, ...all);
  const missing = (state.certificates[account] ?? []).flatMap((_, number) => {
    const id = account * 100 + number;
    return number > 0 && id < highest && !all.includes(id) ? [id] : [];
  });
  const strangers = alike.filter((id) => !candidates.includes(id));
  return { looks: { ...work.looks, candidates, strangers, missing } };
}

/** Whether a certificate carries the marker of the resource, or without one was issued in a window of the entry (F8). */
function isOwn({ state, rules, marker }: Turn, { uid, windows }: Entry, id: number): boolean {
  if (marker) return markedUid(state, id) === uid;
  return !rules.window || certificateOf(state, id)!.windows.some((window) => windows.includes(window));
}

function hasKeyOf({ state }: Turn, id: number, other: number): boolean {
  return certificateOf(state, id)?.key === certificateOf(state, other)?.key;
}

/** A live GET of the resource and of its Secret's metadata (F4). */
function live(turn: Turn, p: number, work: Work): Partial<Work> | string {
  const { place, uid, seen } = work;
  const { resources, secrets } = turn.state;
  const resource = resources[place];
  const secret = secrets[place];
  if (turn.rules.liveFloor) setView(turn, p, place, { resource, secret });
  if (!seen || resource?.uid !== uid) return { seen: undefined };
  const isSameVersion = resource.version === seen.version && (secret?.version ?? 0) === work.secretVersion;
  return isSameVersion ? {} : 'finds the resource or its Secret changed';
}

/** A live LIST of the resources, at which the verdict looks; it counts as a GET of the own one. */
function cluster(turn: Turn, p: number, { place, seen }: Work): Partial<Work> | string {
  const resource = turn.state.resources[place];
  if (!turn.rules.liveFloor || resource?.version === seen!.version) return {};
  setView(turn, p, place, { resource });
  return 'finds the resource changed in the list';
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
  const [only] = own;
  if (own.length === 1 && isConclusive(turn, work, entry, only!, journal)) {
    return adopt(turn, p, work, entry, only!, false);
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
  const others = state.resources.filter((other): other is Resource => !!other && other.uid !== work.uid);
  const isRival = others.some((other) => asksFor(other, entry));
  const isOpen = journal.entries.some((other) => other.uid !== work.uid && asksFor(other, entry));
  const wasRival = journal.abandoned.some(
    (other) => other.uid !== work.uid && asksFor(other, entry) && isAbove(turn, id, other.afterId),
  );
  const isNamed = (of: number): boolean => others.some((other) => isSame(turn, claimOf(turn, other), of));
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
    !isNamed(id) &&
    !isReissued &&
    !isRival &&
    !wasRival &&
    !(rules.soleCountsEntries && isOpen) &&
    !isForeign
  );
}

/** The id that a resource claims under its seal. */
function claimOf(turn: Turn, resource: Resource): number {
  return isSealed(turn, resource) ? resource.status.certificateId : 0;
}

/** What the looks have shown is used up with the verdict. */
function used(work: Work): Work {
  return { ...work, looks: nothingSeen };
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
  if (turn.rules.replyOnce && isSecondDoubt(turn, p, entry)) {
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

/** Whether an id of a reply is believed no less than a listed one; undefined if it is, else why not. */
export function doubtOf(turn: Turn, p: number, entry: Entry, id: number): string | undefined {
  const { state, rules, marker } = turn;
  const { views, journal } = processOf(turn, p);
  const isReissue = entry.operation === 'Reissue';
  const floor = isReissue ? entry.previousId : entry.afterId;
  if (rules.replyAboveFloor && !isAbove(turn, id, floor)) return 'which is not above the floor';
  const isClaimed = views.some(({ resource, secret }) => {
    if (!resource) return false;
    const proven = provenId(turn, resource, secret);
    return (
      isSame(turn, claimOf(turn, resource), id) || (resource.uid !== entry.uid && isSame(turn, proven, id))
    );
  });
  if (rules.replyUnclaimed && isClaimed) return 'which is claimed';
  if (!rules.replyFits) return undefined;
  const isMisfit = isReissue
    ? !hasKeyOf(turn, id, entry.previousId)
    : marker && markedUid(state, id) !== entry.uid;
  const isOther = certificateOf(state, id)!.spec !== entry.spec;
  const mayBeAnothers = journal?.entries.some(
    (other) =>
      other.uid !== entry.uid &&
      accountOf(id) === other.account &&
      certificateOf(state, id)!.spec === other.spec &&
      isAbove(turn, id, other.previousId || other.afterId),
  );
  return isMisfit || (isOther && mayBeAnothers !== false) ? 'which does not fit' : undefined;
}
