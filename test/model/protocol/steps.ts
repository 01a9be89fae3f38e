import {
  accountOf,
  certificateOf,
  nameOfPlace,
  nameOfProcess,
  nothingGiven,
  ownerOf,
  type Request,
  type Resource,
  type Status,
  type StepName,
  tokenOfPlace,
  type Work,
} from '../world/state.ts';
import { newEntry } from './entry.ts';
import { doubtOf } from './replies.ts';
import { look } from './recovery.ts';
import { revoke } from './revocation.ts';
import {
  dropped,
  endWork,
  isAbove,
  isSealed,
  learnIds,
  processOf,
  provenId,
  setCertificate,
  setMemory,
  setResource,
  setView,
  setWork,
  token,
  type Turn,
  violate,
} from '../world/turn.ts';

/** Takes the next step of a piece of work; `enter` and `remove` wait for `commit`, `reply` for the CA. */
export function takeStep(turn: Turn, p: number, work: Work): string | undefined {
  return steps[work.next]?.(turn, p, work);
}

type Take = (turn: Turn, p: number, work: Work) => string;

const steps: Partial<Record<StepName, Take>> = {
  send,
  secret,
  result,
  previous: look,
  list: look,
  live: look,
  cluster: look,
};

function send(turn: Turn, p: number, work: Work): string {
  const entry = work.entry!;
  const name = nameOfPlace(entry.place);
  if (turn.rules.sendGate && (work.age > 0 || !processOf(turn, p).leads)) {
    setMemory(turn, p, entry.id, { isUnsent: true });
    return dropped(turn, p, work, `${nameOfProcess(p)} is held back by the send gate for ${name}`);
  }
  const request: Request = { entry, process: p, isGivenUp: false, patience: 0 };
  turn.state.requests = [...turn.state.requests, request];
  setWork(turn, p, { ...work, next: 'reply' });
  return `${nameOfProcess(p)} sends ${entry.operation} for ${name}.`;
}

/** A process hears a reply, and fetches what it names; undefined if it does not wait for it. */
export function hear(turn: Turn, request: Request, id: number): string | undefined {
  const { process: p, entry } = request;
  const work = processOf(turn, p).works.find(
    (other) => other.next === 'reply' && other.entry?.id === entry.id && other.uid === entry.uid,
  );
  if (!work) return undefined;
  const who = nameOfProcess(p);
  if (id < 0 && turn.rules.notLatestRecovers) return dropped(turn, p, work, `${who} hears NotLatest`);
  if (id < 0) {
    const made = newEntry(turn, work, work.seen!, 'New', { replaced: entry });
    setWork(turn, p, { ...work, next: 'enter', entry: made, removes: entry.id });
    return `${who} hears NotLatest and asks for a new one.`;
  }
  const doubt = doubtOf(turn, p, entry, id);
  if (doubt !== undefined) {
    setMemory(turn, p, entry.id, { isDoubted: true });
    return dropped(turn, p, work, `${who} hears of ${id}, ${doubt}`);
  }
  learnIds(turn, p, [id]);
  const isMisfit = certificateOf(turn.state, id)!.spec !== entry.spec;
  setMemory(turn, p, entry.id, { bought: id, isMisfit });
  if (isMisfit) return dropped(turn, p, work, `${who} hears of ${id}, which fails the checks`);
  setWork(turn, p, { ...work, next: 'secret', certificateId: id });
  return `${who} hears of ${id}.`;
}

/** F5, first: the Secret is written over what was looked at, or created, and never falls. */
function secret(turn: Turn, p: number, work: Work): string {
  const { state, rules } = turn;
  const { place, uid, certificateId: id, seen, entry } = work;
  const held = state.secrets[place];
  const name = nameOfPlace(tokenOfPlace(place));
  const cannot = `${nameOfProcess(p)} cannot write ${id} to the Secret of ${name}`;
  if (rules.secretVersion && (held?.version ?? 0) !== work.secretVersion) {
    setView(turn, p, place, { secret: held });
    return dropped(turn, p, work, `${cannot}: it has changed`);
  }
  const certificate = certificateOf(state, id)!;
  const proven = provenId(turn, seen!, held);
  const isComparable =
    proven > 0 &&
    accountOf(proven) === accountOf(id) &&
    certificateOf(state, proven)!.spec === certificate.spec;
  const isFall = isComparable && isAbove(turn, proven, id);
  if (isFall && rules.secretNeverFalls) return dropped(turn, p, work, `${cannot}: it is newer`);
  if (isFall) violate(turn, 'secretFell');
  const owner = ownerOf(state, id);
  if (owner !== tokenOfPlace(place)) violate(turn, owner === 0 ? 'foreignAdopted' : 'wrongOwner');
  const written = { version: token(turn), uid, certificateId: id, key: certificate.key };
  state.secrets = state.secrets.with(place, written);
  if (rules.ownWrites) setView(turn, p, place, { secret: written });
  const isRepair = !entry && seen!.status.certificateId === id;
  if (isRepair) endWork(turn, p, uid);
  else if (entry && !rules.removeLast) setWork(turn, p, { ...work, next: 'remove', removes: entry.id });
  else setWork(turn, p, { ...work, next: 'result', secretVersion: written.version });
  return `${nameOfProcess(p)} writes ${id} to the Secret of ${name}.`;
}

/** F5, second: the result, which names the entry under the seal; F10: it never lowers revision or id. */
function result(turn: Turn, p: number, work: Work): string {
  const { state, rules } = turn;
  const { place, uid, certificateId: id, seen, entry } = work;
  const current = state.resources[place];
  const name = nameOfPlace(tokenOfPlace(place));
  const who = nameOfProcess(p);
  if (!current || current.uid !== uid) {
    if (rules.liveFloor) setView(turn, p, place, { resource: current });
    return dropped(turn, p, work, `${who} finds ${name} gone`);
  }
  const isChanged = current.version !== seen!.version && !isSameStatus(current, seen!);
  const believed = isSealed(turn, seen!) || !entry ? seen!.status.revision + 1 : 0;
  const revision = Math.max(entry?.revision ?? 0, believed);
  const isFall =
    !current.status.isForged &&
    (current.status.revision >= revision || isLower(turn, id, current.status.certificateId));
  if ((isChanged && rules.resultReread) || (isFall && rules.resultNeverFalls)) {
    if (rules.liveFloor) setView(turn, p, place, { resource: current });
    return dropped(turn, p, work, `${who} finds the status of ${name} changed`);
  }
  if (turn.oldCrds && rules.resultEcho) {
    state.isHalted = true;
    return dropped(turn, p, work, `${who} hears that the result for ${name} is not stored`);
  }
  const status: Status = {
    certificateId: id,
    spec: entry?.spec ?? certificateOf(state, id)!.spec,
    revision,
    // Named is only the entry that bought it, so that no other one is dropped for it.
    entry: entry && work.giving === nothingGiven ? entry.id : seen!.status.entry,
    isForged: false,
  };
  if (certificateOf(state, id)!.spec !== status.spec) violate(turn, 'wrongNames');
  const written = setResource(turn, place, turn.oldCrds ? current : { ...current, status });
  if (!turn.oldCrds) setCertificate(turn, id, { wasNamed: true });
  const replaced = isSealed(turn, seen!) ? seen!.status.certificateId : 0;
  if (replaced !== id) revoke(turn, tokenOfPlace(place), [replaced]);
  if (rules.ownWrites) setView(turn, p, place, { resource: written });
  if (entry && rules.removeLast)
    setWork(turn, p, { ...work, next: 'remove', removes: entry.id, seen: written });
  else endWork(turn, p, uid);
  return `${who} writes the result ${id} for ${name}.`;
}

/** Event: what a process has fetched fails the checks. What was bought is noted in the entry, and fetched again. */
export function failCheck(turn: Turn, p: number, work: Work): string | undefined {
  const { entry, next } = work;
  if (next !== 'secret' || !entry) return undefined;
  const what = `${nameOfProcess(p)} cannot use what it fetches for ${nameOfPlace(entry.place)}`;
  if (!turn.rules.failedCheckKeepsId) {
    setMemory(turn, p, entry.id, { bought: 0, isUnsent: true });
    return dropped(turn, p, work, what);
  }
  setWork(turn, p, { ...work, next: 'amend', entry: { ...entry, bought: work.certificateId } });
  return `${what}.`;
}

function isSameStatus({ status: a }: Resource, { status: b }: Resource): boolean {
  return (
    a.certificateId === b.certificateId &&
    a.revision === b.revision &&
    a.entry === b.entry &&
    a.isForged === b.isForged
  );
}

/** Whether a result would go back to an earlier certificate of the same account. */
function isLower(turn: Turn, id: number, present: number): boolean {
  return (
    present > 0 &&
    isAbove(turn, present, id) &&
    (!turn.rules.idsByAccount || accountOf(present) === accountOf(id))
  );
}
