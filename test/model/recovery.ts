import {
  type Attempt,
  type Certificate,
  isOpen,
  listed,
  ownerOf,
  processName,
  resourceName,
  type StepName,
  type Work,
} from './state.ts';
import { dropped, inOwnSecret, learnId, nothing, publishing, setWork, type Take, type Turn } from './turn.ts';

type Look = Extract<StepName, 'previous' | 'list' | 'live' | 'cluster'>;

/** What a recovery reads, by the name of the step. */
export const looks: Record<Look, Take> = { previous, list, live, cluster };

/** The order of the looks. A LIST of the cluster is needed only where nothing marks what is ours. */
function order({ rules, marker }: Turn, attempt: Attempt): Look[] {
  const isReissue = attempt.operation === 'Reissue';
  const atCa: Look[] = !isReissue
    ? ['list']
    : rules.previousBeforeList
      ? ['previous', 'list']
      : ['list', 'previous'];
  const liveGet: Look[] = rules.liveGet ? ['live'] : [];
  if (isReissue || marker) return [...atCa, ...liveGet];
  return rules.listBeforeCluster ? [...atCa, ...liveGet, 'cluster'] : ['cluster', ...atCa, ...liveGet];
}

export function firstLook(turn: Turn, attempt: Attempt): Look {
  return order(turn, attempt)[0] ?? 'list';
}

function seen(turn: Turn, p: number, work: Work, look: Look, what: string): string {
  const all = order(turn, work.attempt!);
  const next = all[all.indexOf(look) + 1];
  const sentence = `${processName(p)}, recovering ${resourceName(work.resource)}, ${what}`;
  if (next === undefined) return `${sentence}; ${verdict(turn, p, work)}`;
  setWork(turn, p, { ...work, next });
  return `${sentence}.`;
}

function previous(turn: Turn, p: number, work: Work): string {
  const isPreviousObsolete = turn.state.certificates[work.attempt!.previousId]?.isObsolete ?? true;
  const what = `sees that the previous certificate is ${isPreviousObsolete ? '' : 'not '}obsolete`;
  return seen(turn, p, { ...work, isPreviousObsolete }, 'previous', what);
}

/** cert/list, and cert/details and cert/get of what it shows. */
function list(turn: Turn, p: number, work: Work): string {
  const { state, rules, marker } = turn;
  const attempt = work.attempt!;
  const { previousId, spec, afterId, window } = attempt;
  const ids = listed(state).filter((id) => !state.certificates[id]!.isRevoked);
  const isReissue = attempt.operation === 'Reissue';
  const alike = ids.filter((id) => state.certificates[id]!.spec === spec);
  const candidates =
    isReissue && rules.reissueByKey
      ? ids.filter(
          (id) => id > previousId && state.certificates[id]!.key === state.certificates[previousId]?.key,
        )
      : alike.filter(
          (id) =>
            (!rules.aboveAfterId || id > (isReissue ? previousId : afterId)) &&
            (!marker || ownerOf(state, id) === work.seen.uid) &&
            (isReissue || isInWindow(rules, state.certificates[id]!, window)),
        );
  const strangers = alike.filter((id) => !candidates.includes(id));
  learnId(turn, p, Math.max(0, ...ids));
  const all = listed(state);
  // Of a chain of reissues only the end is listed. If that is no candidate, no candidate is a reissue of it.
  const isContinued = ({ key }: Certificate): boolean =>
    all.some((id) => state.certificates[id]!.key === key && !candidates.includes(id));
  const missing = state.certificates.flatMap((certificate, id) =>
    id > 0 && id < Math.max(0, ...all) && !all.includes(id) && !isContinued(certificate) ? [id] : [],
  );
  return seen(
    turn,
    p,
    { ...work, candidates, strangers, missing: isReissue ? [] : missing },
    'list',
    `lists the candidates [${candidates.join(' ')}]`,
  );
}

/** Whether a certificate was issued when an attempt can have bought it. */
function isInWindow(rules: Turn['rules'], { windows, later }: Certificate, window: number): boolean {
  if (windows.includes(window)) return true;
  return later.includes(window) ? !rules.windowEnd : !rules.windowStart;
}

/** A live GET of the resource and of its Secret's metadata. */
function live(turn: Turn, p: number, work: Work): string {
  const { resource: r } = work;
  const isSame =
    turn.state.resources[r]?.version === work.seen.version &&
    (turn.state.secrets[r]?.version ?? 0) === work.secretVersion;
  if (isSame) return seen(turn, p, work, 'live', 'finds resource and Secret unchanged');
  return dropped(turn, p, `${processName(p)} finds ${resourceName(r)} or its Secret changed`);
}

/** A live LIST of the resources, and what is recorded on the issuer. */
function cluster(turn: Turn, p: number, work: Work): string {
  const { resources, secrets, records } = turn.state;
  return seen(turn, p, { ...work, others: { resources, secrets, records } }, 'cluster', 'lists the cluster');
}

/** What a recovery concludes from what it read. */
function verdict(turn: Turn, p: number, work: Work): string {
  const { rules, state } = turn;
  const { candidates, seen: resource, resource: r } = work;
  const attempt = work.attempt!;
  const held = state.secrets[r];
  if (rules.ownSecretFirst && held?.version === work.secretVersion) {
    const floor = Math.max(resource.certificateId, attempt.previousId);
    const inSecret = inOwnSecret(turn, work, attempt.spec, floor);
    if (inSecret > 0 && !state.records.givenUp.includes(inSecret)) return adopt(turn, p, work, inSecret);
  }
  if (attempt.operation === 'Reissue') {
    const successor = Math.max(0, ...candidates);
    if (successor > 0) return adopt(turn, p, work, successor);
    return again(turn, p, work, [], work.isPreviousObsolete ? 'New' : 'Reissue');
  }
  if (turn.marker) {
    const own = candidates.filter((id) => !state.records.givenUp.includes(id));
    const newest = Math.max(0, ...own);
    return newest > 0 ? adopt(turn, p, work, newest) : again(turn, p, work, [], 'New');
  }
  const records = work.others!.records;
  const open = candidates.filter((id) => !records.givenUp.includes(id));
  const [only] = open;
  if (only === undefined) return again(turn, p, work, [], 'New');
  const isConclusive =
    (!rules.oneCandidate || open.length === 1) &&
    !records.undecided.includes(only) &&
    (!rules.skipClaimed || !isClaimed(work, only)) &&
    (!rules.skipReissued || !isReissueSeen(turn, work)) &&
    (!rules.sole || isSole(turn, work, only)) &&
    (!rules.foreignSeen || !work.strangers.some((id) => isForeign(work, id)));
  if (isConclusive) return adopt(turn, p, work, only);
  // The design names this: an undecided sole group costs a certificate, unless the Secret could have told.
  const hasTold = held?.version === work.secretVersion && candidates.includes(held.certificateId);
  if (!hasTold) state.excuses += 1;
  return again(turn, p, work, open, 'New');
}

function isClaimed({ resource: r, others }: Work, id: number): boolean {
  return others!.resources.some(
    (other, index) => index !== r && (other?.certificateId === id || other?.attempt?.certificateId === id),
  );
}

/** Whether something of the same names is gone from the list that another resource has, or that was given up. */
function isReissueSeen({ state }: Turn, { resource: r, others, missing, attempt }: Work): boolean {
  const { resources, records } = others!;
  return missing
    .filter((id) => state.certificates[id]!.spec === attempt!.spec)
    .some(
      (id) =>
        records.givenUp.includes(id) ||
        resources.some((other, index) => index !== r && other?.certificateId === id),
    );
}

/** Whether nobody else can have bought this certificate: no resource, no open attempt, none that was replaced. */
function isSole({ rules }: Turn, { others, resource: r, attempt }: Work, id: number): boolean {
  const spec = attempt!.spec;
  const isRival = others!.resources.some((other, index) => {
    if (!other || index === r) return false;
    return other.spec === spec || (rules.soleCountsAttempts && isOpen(other) && other.attempt?.spec === spec);
  });
  const wasRival = others!.records.abandoned.some(
    (other) => other.resource !== r && other.spec === spec && id > other.afterId,
  );
  return !isRival && !wasRival;
}

/** Whether a certificate with the names of the resource is nobody's, as far as can be seen. */
function isForeign({ others, seen: own }: Work, id: number): boolean {
  const { resources, records } = others!;
  const isKnown = records.givenUp.includes(id) || records.undecided.includes(id) || own.certificateId === id;
  return (
    !isKnown &&
    !resources.some((other) => other?.certificateId === id || other?.attempt?.certificateId === id)
  );
}

/** What the looks have shown is used up with the verdict. */
const unseen = {
  candidates: [],
  strangers: [],
  missing: [],
  others: undefined,
  isPreviousObsolete: false,
} as const;

function adopt(turn: Turn, p: number, looked: Work, id: number): string {
  const work = { ...looked, ...unseen };
  const { seen: resource, attempt } = work;
  if (resource.isDeleting || attempt!.spec !== resource.spec) {
    const own = resource.isDeleting && resource.certificateId > 0 ? [resource.certificateId] : [];
    const next = resource.isDeleting ? 'vanish' : 'attempt';
    const toRecord = { ...nothing, givenUp: [id, ...own] };
    setWork(turn, p, {
      ...work,
      toRecord,
      operation: 'New',
      next: turn.rules.recordGivenUp ? 'record' : next,
      afterRecord: next,
    });
    return `it gives up ${id}.`;
  }
  const isPublished = turn.state.secrets[work.resource]?.certificateId === id;
  if (!isPublished) return publishing(turn, p, { ...work, certificateId: id }, `it adopts ${id}.`);
  setWork(turn, p, { ...work, certificateId: id, next: 'result' });
  return `it adopts ${id}, which the Secret holds.`;
}

function again(
  turn: Turn,
  p: number,
  looked: Work,
  undecided: readonly number[],
  wanted: 'New' | 'Reissue',
): string {
  const work = { ...looked, ...unseen };
  const { seen: resource, attempt } = work;
  const operation = attempt!.spec === resource.spec ? wanted : 'New';
  const next = resource.isDeleting ? 'vanish' : 'attempt';
  const own = resource.isDeleting && resource.certificateId > 0 ? [resource.certificateId] : [];
  const { recordGivenUp, recordAbandoned } = turn.rules;
  const toRecord = {
    givenUp: recordGivenUp ? own : [],
    undecided: recordGivenUp ? undecided : [],
    abandoned: recordAbandoned,
  };
  const isRecorded = recordAbandoned || toRecord.givenUp.length + toRecord.undecided.length > 0;
  setWork(turn, p, { ...work, operation, toRecord, next: isRecorded ? 'record' : next, afterRecord: next });
  return `it adopts none: ${next === 'vanish' ? 'let go' : operation}.`;
}
