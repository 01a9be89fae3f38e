import {
  type Attempt,
  isOpen,
  ownerOf,
  placeOf,
  processName,
  QUIET,
  type Request,
  type Resource,
  resourceName,
  type StepName,
  type Work,
} from './state.ts';
import {
  dropped,
  inOwnSecret,
  learnId,
  nothing,
  publishing,
  revoke,
  setMemory,
  setResource,
  setWork,
  type Take,
  token,
  type Turn,
  violate,
} from './turn.ts';
import { firstLook, looks } from './recovery.ts';

/** Takes the next step of a process's work. */
export function takeStep(turn: Turn, p: number): string | undefined {
  const work = turn.state.processes[p]?.work;
  return work && steps[work.next](turn, p, work);
}

const steps: Record<StepName, Take> = { attempt, send, reply, record, secret, result, vanish, ...looks };

/** Decides what is to be done for a resource and begins with it; a leader only, and one thing at a time. */
export function decide(turn: Turn, p: number, r: number): string | undefined {
  const { state, rules } = turn;
  const process = state.processes[p]!;
  const resource = state.resources[r];
  if (!process.leads || process.work || !resource || state.isHalted) return undefined;
  const who = `${processName(p)} decides on ${resourceName(r)}`;
  const held = state.secrets[r];
  const work: Work = {
    resource: r,
    next: 'attempt',
    seen: resource,
    secretVersion: held?.version ?? 0,
    operation: 'New',
    age: 0,
    attempt: undefined,
    certificateId: 0,
    reply: 0,
    toRecord: nothing,
    afterRecord: 'attempt',
    isPreviousObsolete: false,
    candidates: [],
    strangers: [],
    missing: [],
    others: undefined,
  };
  const go = (change: Partial<Work>, what: string): string => {
    setWork(turn, p, { ...work, ...change });
    return `${who}: ${what}.`;
  };
  const giveUp = (ids: readonly number[], next: 'attempt' | 'vanish'): string => {
    const known = ids.filter((id) => id > 0 && (!rules.sealed || !resource.isForged));
    if (!rules.recordGivenUp) return go({ next }, next === 'vanish' ? 'let it go' : 'New');
    const toRecord = { ...nothing, givenUp: known };
    return go({ next: 'record', afterRecord: next, toRecord }, `give up [${known.join(' ')}], then ${next}`);
  };

  const { attempt, isDeleting } = resource;
  if (rules.sealed && resource.isForged && held?.uid === resource.uid) {
    setResource(turn, r, {
      ...resource,
      isForged: false,
      certificateId: held.certificateId,
      attempt: undefined,
    });
    return `${who}: the Secret proves ${held.certificateId}, sealed again.`;
  }
  if (attempt && isOpen(resource) && !(rules.sealed && resource.isForged)) {
    const memory = process.memory[r];
    if (memory?.attempt !== attempt.id) {
      setMemory(turn, p, r, { attempt: attempt.id, wait: 0, unsent: false, bought: 0 });
      return `${processName(p)} first sees the attempt of ${resourceName(r)} and begins to wait.`;
    }
    const isOutdated = isDeleting || attempt.spec !== resource.spec;
    const next = isDeleting ? 'vanish' : 'attempt';
    const bought = attempt.certificateId || memory.bought;
    if (isOutdated && !isDeleting && !rules.concludeFirst) return go({}, 'the spec changed, New');
    if (bought > 0) {
      if (isOutdated) return giveUp([bought, ...(isDeleting ? [resource.certificateId] : [])], next);
      const inSecret = rules.ownSecretFirst ? inOwnSecret(turn, work, attempt.spec, bought) : 0;
      if (inSecret > 0) {
        return go(
          { next: 'result', attempt, certificateId: inSecret },
          `the Secret holds ${inSecret} already`,
        );
      }
      return publishing(
        turn,
        p,
        { ...work, attempt, certificateId: bought },
        `${who}: resume with ${bought}.`,
      );
    }
    if (memory.unsent) {
      if (isDeleting) return giveUp([resource.certificateId], 'vanish');
      const operation = isOutdated || !rules.unsentKeepsOperation ? 'New' : attempt.operation;
      return go({ operation }, `the attempt was not sent, ${operation} again`);
    }
    if (rules.waitBeforeRecovery && memory.wait < QUIET) return undefined;
    return go({ next: firstLook(turn, attempt), attempt }, 'recover');
  }
  if (isDeleting) return giveUp([resource.certificateId], 'vanish');
  if (resource.certificateId === 0) return go({}, 'New');
  if (resource.issuedSpec !== resource.spec) return go({}, 'New, the spec changed');
  if (resource.isDue) {
    const operation = rules.sealed && resource.isForged ? 'New' : 'Reissue';
    return go({ operation }, operation);
  }
  if (held?.certificateId === resource.certificateId) return undefined;
  const newer = rules.secretIntoStatus ? inOwnSecret(turn, work, resource.spec, resource.certificateId) : 0;
  if (newer > 0) {
    setResource(turn, r, { ...resource, certificateId: newer });
    return `${who}: the Secret holds ${newer}, taken into status.`;
  }
  if (rules.sealed && resource.isForged) return undefined;
  return go(
    { next: 'secret', certificateId: resource.certificateId },
    `fetch ${resource.certificateId} again`,
  );
}

/** The attempt goes into status (`attemptBeforeCall`). */
function attempt(turn: Turn, p: number, work: Work): string {
  const { rules, state } = turn;
  const { resource: r, seen } = work;
  const name = resourceName(r);
  const current = state.resources[r];
  if (!current || current.uid !== seen.uid || (rules.attemptVersion && current.version !== seen.version)) {
    return dropped(turn, p, `${processName(p)} cannot write its attempt for ${name}: it changed`);
  }
  const before = seen.attempt;
  const trusted = before && isOpen(seen) && !(rules.sealed && seen.isForged) ? before : undefined;
  const replaced = rules.keepAfterId && trusted?.spec === seen.spec ? trusted : undefined;
  const { highestId } = state.processes[p]!;
  const made: Attempt = {
    id: token(turn),
    operation: work.operation,
    spec: seen.spec,
    previousId: work.operation === 'Reissue' ? seen.certificateId : 0,
    afterId: replaced ? Math.min(replaced.afterId, highestId) : highestId,
    window: replaced ? replaced.window : token(turn),
    age: 0,
    certificateId: 0,
    refused: false,
  };
  const bounds = made.previousId > 0 ? `of ${made.previousId}` : `above ${made.afterId}`;
  const what = `${processName(p)} writes the attempt ${work.operation} ${bounds} for ${name}`;
  if (!rules.attemptBeforeCall) {
    setWork(turn, p, { ...work, next: 'send', attempt: made, age: 0 });
    return `${processName(p)} writes no attempt for ${name}.`;
  }
  if (turn.oldCrds && rules.attemptEcho) {
    state.isHalted = true;
    return dropped(turn, p, `${what}, which the answer does not echo: the CRDs are too old`);
  }
  const certificateId = seen.isForged && rules.sealOnlyOwn ? 0 : current.certificateId;
  const written = setResource(turn, r, {
    ...current,
    isForged: false,
    certificateId,
    attempt: turn.oldCrds ? before : made,
  });
  setMemory(turn, p, r, { attempt: made.id, wait: 0, unsent: false, bought: 0 });
  setWork(turn, p, { ...work, next: 'send', seen: written, attempt: made, age: 0 });
  return `${what}.`;
}

/** The first byte leaves (`sendGate`). */
function send(turn: Turn, p: number, work: Work): string {
  const { resource: r, attempt: made, seen, age } = work;
  if (!made) return dropped(turn, p, `${processName(p)} has nothing to send`);
  if (turn.rules.sendGate && (age > 0 || !turn.state.processes[p]!.leads)) {
    setMemory(turn, p, r, { unsent: true });
    return dropped(turn, p, `${processName(p)} is held back by the send gate`);
  }
  const request: Request = {
    attempt: made,
    uid: seen.uid,
    resource: r,
    revision: seen.revision + 1,
    process: p,
    left: 2,
    patience: 0,
  };
  turn.state.requests = [...turn.state.requests, request];
  setWork(turn, p, { ...work, next: 'reply' });
  return `${processName(p)} sends ${made.operation} for ${resourceName(r)}.`;
}

/** The answer, or none within T. */
function reply(turn: Turn, p: number, work: Work): string | undefined {
  const { resource: r, reply: id, age, attempt: made } = work;
  const name = `${processName(p)}, for ${resourceName(r)},`;
  if (id === 0) {
    const request = turn.state.requests.find(({ attempt }) => attempt.id === made?.id);
    if (age === 0 || (request && request.left > 0)) return undefined;
    return dropped(turn, p, `${name} gives the call up`);
  }
  if (id < 0) {
    if (turn.rules.notLatestRecovers) return dropped(turn, p, `${name} hears NotLatest`);
    setWork(turn, p, { ...work, next: 'attempt', operation: 'New' });
    return `${name} hears NotLatest and asks for a new one.`;
  }
  learnId(turn, p, id);
  setMemory(turn, p, r, { bought: id });
  return publishing(turn, p, { ...work, certificateId: id }, `${name} hears of certificate ${id}.`);
}

/** What is given up is written on the issuer. */
function record(turn: Turn, p: number, work: Work): string {
  const { records } = turn.state;
  const { toRecord, seen, attempt: made } = work;
  const all = (a: readonly number[], b: readonly number[]): number[] =>
    [...new Set([...a, ...b])].sort((x, y) => x - y);
  const own = {
    uid: seen.uid,
    resource: work.resource,
    spec: made?.spec ?? 0,
    afterId: made?.previousId || (made?.afterId ?? 0),
  };
  const isNew = !records.abandoned.some(
    (other) => other.uid === own.uid && other.spec === own.spec && other.afterId <= own.afterId,
  );
  turn.state.records = {
    givenUp: all(records.givenUp, toRecord.givenUp),
    undecided: all(records.undecided, toRecord.undecided),
    abandoned: toRecord.abandoned && isNew ? [...records.abandoned, own] : records.abandoned,
  };
  setWork(turn, p, { ...work, next: work.afterRecord, toRecord: nothing });
  const what = [...toRecord.givenUp, ...toRecord.undecided].join(' ');
  return `${processName(p)} records on the issuer what ${resourceName(work.resource)} gives up: [${what}]${toRecord.abandoned ? ' and the attempt' : ''}.`;
}

/** The certificate goes into the Secret. */
function secret(turn: Turn, p: number, work: Work): string {
  const { state, rules } = turn;
  const { resource: r, certificateId: id, seen } = work;
  const held = state.secrets[r];
  const name = `${processName(p)} cannot write ${id} to the Secret of ${resourceName(r)}`;
  if (rules.secretVersion && (held?.version ?? 0) !== work.secretVersion) {
    return kept(turn, p, work, `${name}: it changed`);
  }
  const isFall = inOwnSecret(turn, work, work.attempt?.spec ?? seen.issuedSpec, id) > 0;
  if (isFall && rules.secretNeverFalls) return kept(turn, p, work, `${name}: it is newer`);
  if (isFall) violate(turn, 'secretFell');
  if (placeOf(state, id) !== r) violate(turn, ownerOf(state, id) === 0 ? 'foreignAdopted' : 'wrongOwner');
  state.secrets = state.secrets.with(r, { version: token(turn), certificateId: id, uid: seen.uid });
  setWork(turn, p, work.attempt ? { ...work, next: 'result' } : undefined);
  return `${processName(p)} writes ${id} to the Secret of ${resourceName(r)}.`;
}

/** The result goes into status. */
function result(turn: Turn, p: number, work: Work): string {
  const { rules, state } = turn;
  const { resource: r, certificateId, seen, attempt: made } = work;
  const current = state.resources[r];
  const name = resourceName(r);
  if (!current || !made || current.uid !== seen.uid)
    return dropped(turn, p, `${processName(p)} finds ${name} gone`);
  const isOurs = current.version === seen.version || current.attempt?.id === made.id;
  if (rules.resultByAttempt && !isOurs && !turn.oldCrds) {
    return dropped(turn, p, `${processName(p)} finds another attempt on ${name}`);
  }
  if (rules.resultNeverFalls && isOurs && (current.attempt?.certificateId ?? 0) > certificateId) {
    return dropped(turn, p, `${processName(p)} finds a later certificate on ${name}`);
  }
  if (turn.revokes && made.operation === 'New') revokeOwn(turn, r, current);
  setResource(turn, r, {
    ...current,
    isDue: false,
    isForged: false,
    certificateId,
    issuedSpec: made.spec,
    revision: seen.revision + 1,
    // Of a concluded attempt only this is read again.
    attempt: { ...made, previousId: 0, afterId: 0, window: 0, age: QUIET, certificateId },
  });
  setWork(turn, p, undefined);
  return `${processName(p)} writes the result ${certificateId} for ${name}.`;
}

/** The finalizer is taken off. */
function vanish(turn: Turn, p: number, work: Work): string {
  const { resource: r, seen } = work;
  const current = turn.state.resources[r];
  if (current?.version !== seen.version)
    return dropped(turn, p, `${processName(p)} finds ${resourceName(r)} changed`);
  if (turn.revokes) revokeOwn(turn, r, current);
  turn.state.resources = turn.state.resources.with(r, undefined);
  setWork(turn, p, undefined);
  return `${processName(p)} lets ${resourceName(r)} vanish.`;
}

/** Revokes what a resource lets go of, unless somebody else claims it. */
function revokeOwn(turn: Turn, r: number, resource: Resource): void {
  const { certificateId: id } = resource;
  if (id === 0 || (turn.rules.sealed && resource.isForged)) return;
  const isClaimed = turn.state.resources.some((other, index) => index !== r && other?.certificateId === id);
  if (isClaimed && turn.rules.revokeUnclaimed) return;
  if (placeOf(turn.state, id) !== r) violate(turn, 'foreignRevoked');
  revoke(turn, id);
}

/** The work ends without a result, and the id it has is kept in the attempt (as far as the version still fits). */
function kept(turn: Turn, p: number, work: Work, why: string): string {
  const { resource: r, seen, certificateId, attempt: made } = work;
  const current = turn.state.resources[r];
  if (made && current?.version === seen.version)
    setResource(turn, r, { ...current, attempt: { ...made, certificateId } });
  return dropped(turn, p, why);
}

/** A certificate that fails the checks, or cannot be fetched. */
export function failCheck(turn: Turn, p: number, work: Work): string {
  const why = `${processName(p)} fetches ${work.certificateId} for ${resourceName(work.resource)} and it fails the checks`;
  if (turn.rules.failedCheckKeepsId) return kept(turn, p, work, why);
  setMemory(turn, p, work.resource, { bought: 0, unsent: true });
  return dropped(turn, p, why);
}
