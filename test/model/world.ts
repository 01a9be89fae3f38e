import {
  type Attempt,
  isOpen,
  listed,
  type Certificate,
  newResource,
  processName,
  QUIET,
  type Request,
  resourceName,
  type State,
} from './state.ts';
import { failCheck } from './steps.ts';
import { setProcess, setResource, token, type Turn, violate } from './turn.ts';

/** What may happen besides the protocol, each at a price. */
export const eventNames = [
  'crash',
  'depose',
  'loseRequest',
  'loseReply',
  'slow',
  'beyond',
  'refuse',
  'failCheck',
  'stranger',
  'reissueByHand',
  'changeSpec',
  'delete',
  'recreate',
  'dropSecret',
  'snapshot',
  'restore',
  'forge',
  'inventory',
] as const;
export type EventName = (typeof eventNames)[number];

/** A way for an event to happen: sentence, or undefined if it cannot. */
type Happen = (turn: Turn) => string | undefined;

/** One unit of time passes; not while a request ought to have been carried out by now. */
export function tick(turn: Turn): string | undefined {
  const { state } = turn;
  if (state.requests.some(({ left, patience }) => left + patience < 2)) return undefined;
  const older = (age: number): number => Math.min(age + 1, QUIET);
  const aged = (resources: State['resources']): State['resources'] =>
    resources.map((resource) =>
      resource?.attempt && resource.attempt.age < QUIET
        ? { ...resource, attempt: { ...resource.attempt, age: older(resource.attempt.age) } }
        : resource,
    );
  state.requests = state.requests.map((request) => ({ ...request, left: Math.max(request.left - 1, 0) }));
  state.resources = aged(state.resources);
  if (state.snapshot) state.snapshot = { ...state.snapshot, resources: aged(state.snapshot.resources) };
  state.processes = state.processes.map((process) => ({
    ...process,
    memory: process.memory.map((memory) => memory && { ...memory, wait: older(memory.wait) }),
    work: process.work && { ...process.work, age: older(process.work.age) },
  }));
  return 'A unit of time passes.';
}

/** The CA carries out a request. */
export function act(turn: Turn, index: number, isHeard = true): string {
  const { state } = turn;
  const request = state.requests[index]!;
  state.requests = state.requests.filter((_, other) => other !== index);
  if (request.patience === 2) state.excuses += 1;
  const { attempt, uid, resource, revision } = request;
  const buyer = { buyer: uid, place: resource, revision };
  const isNew = attempt.operation === 'New';
  if (isNew && request.patience < 2 && hasLiveKey(state, attempt, uid)) violate(turn, 'rekeyed');
  const id = isNew ? issue(turn, attempt.spec, buyer) : reissue(turn, attempt.previousId, buyer);
  const done =
    id < 0 ? `refuses to reissue ${attempt.previousId}: NotLatest` : `issues ${id} (${attempt.operation})`;
  if (isHeard && answer(turn, request, id)) return `The CA ${done}.`;
  return `The CA ${done}, and nobody hears of it.`;
}

/** Whether the resource has a certificate for the same, whose key could have been kept: a renewal must not change it. */
function hasLiveKey(state: State, { spec }: Attempt, uid: number): boolean {
  const resource = state.resources.find((other) => other?.uid === uid);
  if (!resource || resource.isForged || resource.certificateId === 0 || resource.issuedSpec !== spec)
    return false;
  const key = state.certificates[resource.certificateId]?.key;
  return state.certificates.some((other) => other.key === key && !other.isObsolete && !other.isRevoked);
}

function answer(turn: Turn, { process: p, attempt }: Request, reply: number): boolean {
  const { work } = turn.state.processes[p]!;
  if (work?.next !== 'reply' || work.attempt?.id !== attempt.id) return false;
  setProcess(turn, p, { work: { ...work, reply } });
  return true;
}

type Buyer = Pick<Certificate, 'buyer' | 'place' | 'revision'>;

const STRANGER: Buyer = { buyer: 0, place: -1, revision: 0 };

function issue(turn: Turn, spec: number, buyer: Buyer, key?: number): number {
  const { certificates, resources } = turn.state;
  const id = certificates.length;
  const attempts = resources.flatMap((resource) => resource?.attempt ?? []);
  const windowsOf = (isLater: boolean): number[] =>
    attempts.filter(({ age }) => (age === QUIET) === isLater).map(({ window }) => window);
  const issued = {
    spec,
    key: key ?? id,
    ...buyer,
    isObsolete: false,
    isRevoked: false,
    windows: windowsOf(false),
    later: windowsOf(true),
  };
  turn.state.certificates = [...certificates, issued];
  return id;
}

function reissue(turn: Turn, id: number, by: Buyer): number {
  const { certificates } = turn.state;
  const old = certificates[id];
  if (!old || old.isObsolete) return -1;
  if (by.buyer !== 0 && certificates[old.key]?.place !== by.place) violate(turn, 'foreignReissued');
  turn.state.certificates = certificates.with(id, { ...old, isObsolete: true });
  return issue(turn, old.spec, by, old.key);
}

const each = (count: number, way: (index: number) => Happen): Happen[] =>
  Array.from({ length: count }, (_, i) => way(i));

/** The ways in which an event can happen in a state. */
export const waysOf: Record<EventName, (state: State) => Happen[]> = {
  crash: ({ processes }) => each(processes.length, (p) => (turn) => crash(turn, p)),
  depose: ({ processes }) => (processes.length < 2 ? [] : [depose]),
  loseRequest: ({ requests }) =>
    each(requests.length, (index) => ({ state }) => {
      state.requests = state.requests.filter((_, other) => other !== index);
      return 'A request is lost.';
    }),
  loseReply: ({ requests }) => each(requests.length, (index) => (turn) => act(turn, index, false)),
  slow: ({ requests }) => each(requests.length, (index) => (turn) => delay(turn, index, 1)),
  beyond: ({ requests }) => each(requests.length, (index) => (turn) => delay(turn, index, 2)),
  refuse: ({ requests }) => each(requests.length, (index) => (turn) => refuse(turn, index)),
  failCheck: ({ processes }) =>
    each(processes.length, (p) => (turn) => {
      const work = turn.state.processes[p]?.work;
      return work?.next === 'secret' ? failCheck(turn, p, work) : undefined;
    }),
  stranger: () => [buyAsStranger],
  reissueByHand: (state) => listed(state).map((id) => (turn) => reissueByHand(turn, id)),
  changeSpec: ({ resources }) =>
    each(resources.length, (r) => (turn) => {
      const resource = turn.state.resources[r];
      if (!resource || resource.isDeleting) return undefined;
      setResource(turn, r, { ...resource, spec: 1 - resource.spec });
      return `The spec of ${resourceName(r)} asks for something else.`;
    }),
  delete: ({ resources }) => each(resources.length, (r) => (turn) => remove(turn, r)),
  recreate: ({ resources }) => each(resources.length, (r) => (turn) => create(turn, r)),
  dropSecret: ({ secrets }) =>
    each(secrets.length, (r) => ({ state }) => {
      if (!state.secrets[r]) return undefined;
      state.secrets = state.secrets.with(r, undefined);
      return `The Secret of ${resourceName(r)} is deleted.`;
    }),
  snapshot: () => [
    ({ state }) => {
      const { resources, secrets, records } = state;
      state.snapshot = { resources, secrets, records };
      return 'A snapshot of etcd is taken.';
    },
  ],
  restore: ({ snapshot }) => (snapshot ? [restore] : []),
  forge: ({ resources }) => [
    ...each(resources.length, (r) => (turn) => forge(turn, r)),
    ...each(resources.length, (r) => (turn) => forge(turn, r, 'Reissue')),
  ],
  inventory: () => [(turn) => look(turn)],
};

function buyAsStranger(turn: Turn): string | undefined {
  const isInWindow = turn.state.resources.some(
    (resource) => resource?.attempt && resource.attempt.age < QUIET,
  );
  if (isInWindow && !turn.peopleAtAnyTime) return undefined;
  return `A person or another installation buys ${issue(turn, 0, STRANGER)} with the same names and subject.`;
}

/** What no status names yet nobody reissues, but for the odd person who does. */
function reissueByHand(turn: Turn, id: number): string | undefined {
  const { resources, certificates } = turn.state;
  const isNamed = resources.some(
    (resource) => certificates[resource?.certificateId ?? 0]?.key === certificates[id]?.key,
  );
  if (!isNamed && !turn.peopleAtAnyTime) return undefined;
  return `A person reissues ${id}: ${reissue(turn, id, STRANGER)}.`;
}

function crash(turn: Turn, p: number): string {
  const { processes } = turn.state;
  const highestId = Math.max(0, ...listed(turn.state));
  setProcess(turn, p, { memory: processes[p]!.memory.map(() => undefined), work: undefined, highestId });
  return `${processName(p)} dies and starts again.`;
}

/** A leader that froze finds out at its next send gate; until then it goes on with what it had begun. */
function depose({ state }: Turn): string {
  state.processes = state.processes.map((process) => ({ ...process, leads: !process.leads }));
  return `The lease goes to ${processName(state.processes.findIndex(({ leads }) => leads))}; the other one freezes.`;
}

function delay({ state }: Turn, index: number, patience: 1 | 2): string | undefined {
  const request = state.requests[index]!;
  if (request.patience !== patience - 1 || request.left !== 2 - patience) return undefined;
  state.requests = state.requests.with(index, { ...request, patience });
  return `A request takes longer than ${patience === 1 ? 'T' : 'T + X'}.`;
}

/** The CA refuses a request, and the process hears and writes it in the same step. */
function refuse(turn: Turn, index: number): string | undefined {
  const { process: p, attempt } = turn.state.requests[index]!;
  const work = turn.state.processes[p]?.work;
  if (work?.next !== 'reply' || work.attempt?.id !== attempt.id) return undefined;
  turn.state.requests = turn.state.requests.filter((_, other) => other !== index);
  const current = turn.state.resources[work.resource];
  if (current && current.version === work.seen.version) {
    const isForged = current.isForged && turn.rules.sealOnlyOwn;
    setResource(turn, work.resource, {
      ...current,
      isForged,
      isDue: false,
      attempt: { ...attempt, window: 0, age: QUIET, refused: true },
    });
  }
  setProcess(turn, p, { work: undefined });
  return `The CA refuses the request of ${processName(p)}.`;
}

/** With a finalizer a resource stays until the operator lets it go. */
function remove(turn: Turn, r: number): string | undefined {
  const resource = turn.state.resources[r];
  if (!resource || resource.isDeleting) return undefined;
  if (turn.rules.recordGivenUp) setResource(turn, r, { ...resource, isDeleting: true });
  else turn.state.resources = turn.state.resources.with(r, undefined);
  return `${resourceName(r)} is deleted.`;
}

function create(turn: Turn, r: number): string | undefined {
  if (turn.state.resources[r]) return undefined;
  setResource(turn, r, newResource(token(turn)));
  return `${resourceName(r)} is created.`;
}

/** The named exception: what was under way at the time of a restore may be bought again. */
function restore({ state }: Turn): string {
  const { snapshot, requests, processes } = state;
  state.excuses += requests.length + processes.filter(({ work }) => work).length;
  Object.assign(state, snapshot);
  state.snapshot = undefined;
  return 'etcd is restored from the snapshot.';
}

/**
 * A tenant with rights on status writes the other's id there. Who may do that can also erase an open attempt, and
 * nothing helps against that; so it happens only to a resource without one.
 */
function forge(turn: Turn, r: number, operation?: Attempt['operation']): string | undefined {
  const { resources } = turn.state;
  const resource = resources[r];
  const id = resources.find((other, index) => index !== r && other)?.certificateId ?? 0;
  if (!resource || id === 0 || resource.isDeleting || isOpen(resource)) return undefined;
  const attempt = operation && {
    id: token(turn),
    operation,
    spec: resource.spec,
    previousId: id,
    afterId: 0,
    window: token(turn),
    age: 0,
    certificateId: 0,
    refused: false,
  };
  turn.state.hidden = [...turn.state.hidden, resource.certificateId];
  setResource(turn, r, { ...resource, isForged: true, certificateId: id, attempt });
  const what = attempt ? 'and an open attempt to reissue it ' : '';
  return `Somebody writes ${id} ${what}into the status of ${resourceName(r)}.`;
}

/** One of the two looks of an inventory. */
function look(turn: Turn): string {
  const { state, rules } = turn;
  const { resources, secrets, records } = state;
  if (rules.inventoryListsFirst) {
    state.inventory = { ids: listed(state) };
    return 'The inventory lists the certificates of the CA.';
  }
  state.inventory = { cluster: { resources, secrets, records } };
  return 'The inventory takes the claims.';
}
