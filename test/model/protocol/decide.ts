import {
  accountOf,
  certificateOf,
  type Entry,
  markedUid,
  nameOfPlace,
  nameOfProcess,
  nothingGiven,
  nothingSeen,
  QUIET,
  type Resource,
  tokenOfPlace,
  type Work,
} from '../world/state.ts';
import { type Kept, newEntry, opened, openWindows } from './entry.ts';
import { firstLook } from './looks.ts';
import {
  asksFor,
  heldAbove,
  isAbove,
  isForPerson,
  isOutdated,
  isSame,
  isSealed,
  learnIds,
  memoryOf,
  processOf,
  provenId,
  setView,
  setWork,
  type Turn,
} from '../world/turn.ts';

/** What a decision is about: a resource as the process knows it, or what is left of one. */
interface Subject {
  p: number;
  place: number;
  uid: number;
  resource: Resource | undefined;
}

/** A leader decides what is to be done for a resource, and begins with it. */
export function decide(turn: Turn, p: number, place: number): string | undefined {
  const resource = deciderOf(turn, p)?.views[place]?.resource;
  if (!resource || isBusy(turn, p, resource.uid)) return undefined;
  const subject = { p, place, uid: resource.uid, resource };
  const entry = processOf(turn, p).journal!.entries.find(({ uid }) => uid === resource.uid);
  return entry ? withEntry(turn, subject, entry) : withoutEntry(turn, subject, resource);
}

/** A leader decides about an entry whose resource is gone. */
export function decideGone(turn: Turn, p: number, entry: Entry): string | undefined {
  const process = deciderOf(turn, p);
  if (!process || isBusy(turn, p, entry.uid)) return undefined;
  if (process.views.some(({ resource }) => resource?.uid === entry.uid)) return undefined;
  const place = entry.place - tokenOfPlace(0);
  const subject = { p, place, uid: entry.uid, resource: undefined };
  if (!turn.rules.goneConcluded) return remove(turn, subject, entry, 'forgets the entry');
  return withEntry(turn, subject, entry);
}

function deciderOf(turn: Turn, p: number): Turn['state']['processes'][number] | undefined {
  const process = processOf(turn, p);
  if (turn.state.isHalted) return undefined;
  return process.leads && process.phase === 'ready' && process.journal ? process : undefined;
}

function isBusy(turn: Turn, p: number, uid: number): boolean {
  return processOf(turn, p).works.some((work) => work.uid === uid);
}

/** An open entry: it is dropped, published, made again, waited for or recovered. */
function withEntry(turn: Turn, subject: Subject, entry: Entry): string | undefined {
  const { rules } = turn;
  const { p, resource } = subject;
  if (resource && isSealed(turn, resource)) {
    const isNamed = rules.namedDropped && resource.status.entry === entry.id;
    if (isNamed) {
      learnIds(turn, p, [resource.status.certificateId]);
      return remove(turn, subject, entry, 'finds its entry named by the status');
    }
  }
  const isUnwanted = isOutdated(turn, resource, entry);
  if (resource && !asksFor(resource, entry) && !rules.concludeFirst) {
    return enter(turn, subject, resource, 'New', { removes: entry.id });
  }
  const { bought, isUnsent, isMisfit, wait } = memoryOf(processOf(turn, p), entry.id)!;
  const isHeld =
    rules.heldNotGivenUp &&
    resource &&
    provenId(turn, resource, turn.state.secrets[subject.place]) === bought;
  if (bought > 0 && isUnwanted && !(isHeld && bought !== resource.status.certificateId)) {
    const givenUp = bought === resource?.status.certificateId ? [] : [bought];
    return remove(turn, subject, entry, `gives up ${bought}`, { ...nothingGiven, givenUp });
  }
  if (isMisfit) return undefined;
  if (bought > 0) return publish(turn, subject, resource!, entry, bought);
  if (isUnsent && isUnwanted) return remove(turn, subject, entry, 'removes what was not sent');
  if (isUnsent) {
    const kept = {
      removes: entry.id,
      replaced: entry,
      afterId: entry.afterId,
      windows: entry.windows.slice(1),
    };
    const operation = rules.unsentKeepsOperation ? entry.operation : 'New';
    return enter(turn, subject, resource!, operation, kept);
  }
  if (rules.waitBeforeRecovery && wait < QUIET) return undefined;
  return begin(turn, subject, { next: firstLook(turn, entry, !resource), entry }, 'recover');
}

/** What was bought is brought into the Secret, unless the Secret holds it or something later already. */
function publish(turn: Turn, subject: Subject, resource: Resource, entry: Entry, bought: number): string {
  const { p, place } = subject;
  const secret = turn.state.secrets[place];
  setView(turn, p, place, { secret });
  const held = turn.rules.ownSecret ? heldAbove(turn, resource, secret, entry) : 0;
  const certificateId = isAbove(turn, held, bought) ? held : bought;
  const isHeld = secret?.uid === resource.uid && provenId(turn, resource, secret) === certificateId;
  const giving = certificateId === bought ? nothingGiven : { ...nothingGiven, givenUp: [bought] };
  return begin(
    turn,
    subject,
    { next: isHeld ? 'result' : 'secret', entry, certificateId, giving },
    'publish',
  );
}

/** No entry: what the status lacks is adopted, bought or fetched again. */
function withoutEntry(turn: Turn, subject: Subject, resource: Resource): string | undefined {
  const { p, place } = subject;
  const { status } = resource;
  const view = processOf(turn, p).views[place]!;
  if (!isSealed(turn, resource)) {
    const proven = provenId(turn, resource, turn.state.secrets[place]);
    if (proven > 0)
      return begin(turn, subject, { next: 'result', certificateId: proven }, `seal ${proven} again`);
    const isAskedFor = asksFor(resource, { spec: status.spec, account: accountOf(status.certificateId) });
    if (isAskedFor || isGated(turn, p, resource)) return undefined;
    return enter(turn, subject, resource, 'New', { removes: 0 });
  }
  const wanted = wantedBy(turn, resource);
  const held = turn.rules.secretIntoStatus && heldAbove(turn, resource, view.secret, resource);
  const isNewer = held && heldAbove(turn, resource, turn.state.secrets[place], resource);
  if (isNewer) {
    setView(turn, p, place, { secret: turn.state.secrets[place] });
    return begin(turn, subject, { next: 'result', certificateId: isNewer }, `adopt ${isNewer} of the Secret`);
  }
  if (wanted === undefined) {
    const { certificateId } = status;
    const { secret } = view;
    if (provenId(turn, resource, secret) === certificateId) return undefined;
    return begin(turn, subject, { next: 'secret', certificateId }, `fetch ${certificateId} again`);
  }
  const known = turn.rules.inventoryFirst ? inInventory(turn, p, resource) : 0;
  if (known > 0)
    return begin(turn, subject, { next: 'secret', certificateId: known }, `adopt ${known} of the inventory`);
  if (isGated(turn, p, resource)) return undefined;
  return enter(turn, subject, resource, wanted, { removes: 0 });
}

function wantedBy({ state }: Turn, { status, spec, account }: Resource): 'New' | 'Reissue' | undefined {
  const { certificateId: id } = status;
  if (id === 0 || status.spec !== spec || accountOf(id) !== account) return 'New';
  return (certificateOf(state, id)?.due ?? 0) > 0 ? 'Reissue' : undefined;
}

/** F12: what the inventory of the takeover shows to be the resource's, or without `inventoryByKey` what may be. */
function inInventory(turn: Turn, p: number, resource: Resource): number {
  const { state, rules, marker } = turn;
  const { journal, inventory, views } = processOf(turn, p);
  const { status, spec, account, uid } = resource;
  const newest = inventory.filter((id) => {
    const certificate = certificateOf(state, id);
    if (!certificate || certificate.spec !== spec || accountOf(id) !== account || certificate.isRevoked)
      return false;
    if (!isAbove(turn, id, status.certificateId)) return false;
    const isSuccessor =
      status.certificateId > 0 && certificateOf(state, status.certificateId)?.key === certificate.key;
    if (journal!.givenUp.includes(id) && !(isSuccessor && rules.successorStays)) return false;
    const isMarked = marker && markedUid(state, id) === uid;
    const isClaimed = views.some((view) => isSame(turn, view.resource?.status.certificateId ?? 0, id));
    const isRival = views.some(
      (view) => view.resource && view.resource.uid !== uid && asksFor(view.resource, resource),
    );
    return isSuccessor || isMarked || (!rules.inventoryByKey && !isClaimed && !isRival);
  });
  return Math.max(0, ...newest);
}

/** F6 and F14: whether the entry of another resource has to be removed first. */
function isGated(turn: Turn, p: number, resource: Resource): boolean {
  const { rules, marker, room } = turn;
  const { journal, works } = processOf(turn, p);
  const entering = works.flatMap((work) => (work.next === 'enter' && work.entry ? [work.entry] : []));
  const open = [...journal!.entries, ...entering].filter(({ uid }) => uid !== resource.uid);
  // What is bought and known cannot be mistaken for another one's purchase.
  const isInTheWay = (entry: Entry): boolean =>
    entry.bought === 0 && asksFor(resource, entry) && !isForPerson(turn.state, entry);
  if (rules.oneOpen && !marker && open.some(isInTheWay)) return true;
  return rules.capped && new Set(open.map(({ uid }) => uid)).size >= room;
}

function enter(
  turn: Turn,
  subject: Subject,
  resource: Resource,
  operation: Entry['operation'],
  { removes, ...kept }: Kept & Pick<Work, 'removes'>,
): string {
  const entry = newEntry(turn, subject, resource, operation, kept);
  if (turn.rules.attemptBeforeCall) return begin(turn, subject, { next: 'enter', entry, removes }, operation);
  const unwritten = opened(turn, entry, processOf(turn, subject.p).known);
  openWindows(turn, [unwritten]);
  return begin(turn, subject, { next: 'send', entry: unwritten, removes }, `${operation} without an entry`);
}

function remove(turn: Turn, subject: Subject, entry: Entry, what: string, giving = nothingGiven): string {
  const change: Partial<Work> = { next: 'remove', entry, removes: entry.id, giving };
  begin(turn, subject, change, 'remove');
  return `${nameOfProcess(subject.p)} ${what} for ${nameOfPlace(entry.place)}.`;
}

function begin(turn: Turn, subject: Subject, change: Partial<Work>, what: string): string {
  const { p, place, uid, resource } = subject;
  setWork(turn, p, {
    place,
    uid,
    next: 'enter',
    entry: undefined,
    removes: 0,
    giving: nothingGiven,
    seen: resource,
    secretVersion: processOf(turn, p).views[place]!.secret?.version ?? 0,
    age: 0,
    certificateId: 0,
    looks: nothingSeen,
    others: undefined,
    ...change,
  });
  return `${nameOfProcess(p)} decides on ${nameOfPlace(tokenOfPlace(place))}: ${what}.`;
}
