import {
  ACCOUNT,
  accountOf,
  certificateOf,
  type Cluster,
  type Journal,
  listed,
  nameOfPlace,
  nameOfProcess,
  noStatus,
  QUIET,
  type Resource,
  type State,
  tokenOfPlace,
  type Work,
} from './state.ts';
import { commit } from '../protocol/commit.ts';
import { forget } from './forgotten.ts';
import { goOnWithInventory } from '../protocol/inventory.ts';
import { failCheck } from '../protocol/steps.ts';
import { act, issue, reissue, replay, STRANGER } from './ca.ts';
import {
  nothingKnown,
  processOf,
  setCertificate,
  setProcess,
  setResource,
  token,
  type Turn,
} from './turn.ts';

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
  'replay',
  'loseWrite',
  'stranger',
  'reissueByHand',
  'due',
  'changeSpec',
  'changeAccount',
  'delete',
  'recreate',
  'dropSecret',
  'keepStatus',
  'replayStatus',
  'forge',
  'forgeSecret',
  'snapshot',
  'restore',
  'restorePlace',
  'restoreJournal',
  'deleteJournal',
  'inventory',
] as const;
export type EventName = (typeof eventNames)[number];

/** A way for an event to happen: a sentence, or undefined if it cannot. */
type Happen = (turn: Turn) => string | undefined;

const each = (count: number, way: (index: number) => Happen | Happen[]): Happen[] =>
  Array.from({ length: count }, (_, i) => way(i)).flat();

const name = (place: number): string => nameOfPlace(tokenOfPlace(place));

/** The ways in which an event can happen in a state. */
export const waysOf: Record<EventName, (state: State) => Happen[]> = {
  crash: ({ processes }) => each(processes.length, (p) => (turn) => crash(turn, p)),
  depose: ({ processes }) => each(processes.length, (p) => (turn) => depose(turn, p)),
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
    processes.flatMap(({ works }, p) => works.map((work) => (turn) => failCheck(turn, p, work))),
  replay: (state) =>
    each(state.requests.length, (index) =>
      listed(state, state.requests[index]!.entry.account).flatMap((id) => [
        (turn: Turn) => replay(turn, index, id, false),
        (turn: Turn) => replay(turn, index, id, true),
      ]),
    ),
  loseWrite: ({ processes }) => each(processes.length, (p) => (turn) => commit(turn, p, false)),
  stranger: ({ certificates }) =>
    each(certificates.length, (account) => (turn) => buyAsStranger(turn, account)),
  reissueByHand: (state) => listed(state).map((id) => (turn) => reissueByHand(turn, id)),
  due: ({ resources }) => each(resources.length, (place) => (turn) => becomeDue(turn, place)),
  changeSpec: ({ resources }) =>
    each(resources.length, (place) =>
      edit(place, ({ spec }) => ({ spec: 1 - spec }), 'asks for something else'),
    ),
  changeAccount: ({ resources }) =>
    each(resources.length, (place) =>
      edit(place, ({ account }) => ({ account: 1 - account }), 'names the issuer of another account'),
    ),
  delete: ({ resources }) =>
    each(resources.length, (place) => ({ state }) => {
      if (!state.resources[place]) return undefined;
      state.resources = state.resources.with(place, undefined);
      return `${name(place)} is deleted.`;
    }),
  recreate: ({ resources }) => each(resources.length, (place) => (turn) => create(turn, place)),
  dropSecret: ({ secrets }) =>
    each(secrets.length, (place) => ({ state }) => {
      if (!state.secrets[place]) return undefined;
      state.secrets = state.secrets.with(place, undefined);
      return `The Secret of ${name(place)} is deleted.`;
    }),
  keepStatus: ({ resources }) =>
    each(resources.length, (place) => ({ state }) => {
      const resource = state.resources[place];
      if (!resource || resource.status.isForged) return undefined;
      state.kept = state.kept.with(place, { uid: resource.uid, status: resource.status });
      return `A tenant keeps the status of ${name(place)}.`;
    }),
  replayStatus: ({ kept }) => each(kept.length, (place) => (turn) => replayStatus(turn, place)),
  forge: ({ resources }) =>
    each(resources.length, (place) => [
      (turn) => forge(turn, place, otherId(turn, place)),
      (turn) => forge(turn, place, turn.state.resources[place]?.status.certificateId ?? 0),
      (turn) => forge(turn, place, strangersId(turn)),
    ]),
  forgeSecret: ({ resources }) => each(resources.length, (place) => (turn) => forgeSecret(turn, place)),
  snapshot: () => [
    ({ state }) => {
      const { resources, secrets, journal } = state;
      const issued = state.certificates.map(({ length }) => length);
      state.snapshot = { resources, secrets, journal, issued };
      return 'A backup is taken.';
    },
  ],
  restore: ({ snapshot }) => (snapshot ? [(turn) => restore(turn, snapshot)] : []),
  restorePlace: ({ snapshot }) =>
    snapshot ? each(snapshot.resources.length, (place) => (turn) => restorePlace(turn, snapshot, place)) : [],
  restoreJournal: ({ snapshot }) =>
    snapshot?.journal ? [(turn) => restoreJournal(turn, snapshot.journal!)] : [],
  deleteJournal: ({ journal }) => (journal ? [(turn) => deleteJournal(turn, journal)] : []),
  inventory: () => [
    (turn) => {
      const { state } = turn;
      if (state.inventory) return undefined;
      state.inventory = {};
      return goOnWithInventory(turn);
    },
  ],
};

function edit(place: number, change: (resource: Resource) => Partial<Resource>, what: string): Happen {
  return (turn) => {
    const resource = turn.state.resources[place];
    if (!resource) return undefined;
    setResource(turn, place, { ...resource, need: token(turn), ...change(resource) });
    return `${name(place)} ${what}.`;
  };
}

function buyAsStranger(turn: Turn, account: number): string | undefined {
  const isInWindow = turn.state.windows.some(({ age }) => age < QUIET);
  if (isInWindow && !turn.peopleAtAnyTime) return undefined;
  return `A person or another installation buys ${issue(turn, account, 0, STRANGER)} with the same names.`;
}

/** What no status names yet nobody reissues, but for the odd person who does. */
function reissueByHand(turn: Turn, id: number): string | undefined {
  const { state } = turn;
  const key = certificateOf(state, id)?.key;
  const isNamed = state.resources.some(
    (resource) => resource && certificateOf(state, resource.status.certificateId)?.key === key,
  );
  if (!isNamed && !turn.peopleAtAnyTime) return undefined;
  return `A person reissues ${id}: ${reissue(turn, id, STRANGER)}.`;
}

function becomeDue(turn: Turn, place: number): string | undefined {
  const id = turn.state.resources[place]?.status.certificateId ?? 0;
  const certificate = certificateOf(turn.state, id);
  if (!certificate || certificate.due > 0) return undefined;
  setCertificate(turn, id, { due: token(turn) });
  return `${name(place)} is due for renewal.`;
}

function crash(turn: Turn, p: number): string | undefined {
  const { phase, works } = processOf(turn, p);
  if (phase === 'standby' && works.length === 0) return undefined;
  const { resources, secrets } = turn.state;
  setProcess(turn, p, {
    ...nothingKnown,
    phase: 'standby',
    views: resources.map((resource, place) => ({ resource, secret: secrets[place] })),
  });
  return `${nameOfProcess(p)} dies and starts again.`;
}

/** The old leader freezes: it goes on with what it had begun, until it looks at the Lease or meets a conflict. */
function depose(turn: Turn, p: number): string | undefined {
  const { processes } = turn.state;
  const first = processes.findIndex(({ leads, works }) => !leads && works.length === 0);
  const { leads, works } = processOf(turn, p);
  if (leads || (works.length === 0 && p !== first)) return undefined;
  turn.state.processes = processes.map((process, other) =>
    other === p
      ? { ...process, ...nothingKnown, phase: 'standby', leads: true }
      : { ...process, leads: false },
  );
  return `The Lease goes to ${nameOfProcess(p)}; the last leader freezes.`;
}

function delay({ state }: Turn, index: number, patience: 1 | 2): string | undefined {
  const request = state.requests[index]!;
  if (request.patience !== patience - 1 || request.isGivenUp !== (patience === 2)) return undefined;
  state.requests = state.requests.with(index, { ...request, patience });
  return `A request takes longer than ${patience === 1 ? 'T' : 'T + X'}.`;
}

/** The CA refuses a request, and the process hears of it: nothing is open any more, and the status says why. */
function refuse(turn: Turn, index: number): string | undefined {
  const { process: p, entry } = turn.state.requests[index]!;
  const work = processOf(turn, p).works.find(
    ({ next, entry: own }) => next === 'reply' && own?.id === entry.id,
  );
  if (!work) return undefined;
  turn.state.requests = turn.state.requests.filter((_, other) => other !== index);
  const works = processOf(turn, p).works.map((other) =>
    other === work ? { ...work, next: 'remove' as const, removes: entry.id } : other,
  );
  setProcess(turn, p, { works });
  sealAgain(turn, work);
  return `The CA refuses the request of ${nameOfProcess(p)} for ${nameOfPlace(entry.place)}.`;
}

/** A write with a new seal, which covers nothing of a status that had none. */
function sealAgain(turn: Turn, { place, seen }: Work): void {
  const current = turn.state.resources[place];
  if (!current?.status.isForged || current.version !== seen?.version) return;
  const { status } = current;
  const kept = turn.rules.sealOnlyOwn ? { ...noStatus, revision: status.revision } : status;
  setResource(turn, place, { ...current, status: { ...kept, isForged: false } });
}

function create(turn: Turn, place: number): string | undefined {
  if (turn.state.resources[place]) return undefined;
  setResource(turn, place, {
    uid: token(turn),
    version: 0,
    spec: 0,
    account: 0,
    need: token(turn),
    status: noStatus,
  });
  return `${name(place)} is created.`;
}

/** A tenant puts back an earlier status with its seal; it may cost one certificate. */
function replayStatus(turn: Turn, place: number): string | undefined {
  const { resources, kept } = turn.state;
  const resource = resources[place];
  const old = kept[place];
  if (!resource || !old || resource.status === old.status) return undefined;
  const isForged = old.uid !== resource.uid;
  setResource(turn, place, { ...resource, status: { ...old.status, isForged } });
  turn.state.excuses += 1;
  return `A tenant puts back the status that names ${old.status.certificateId} for ${name(place)}.`;
}

function otherId({ state }: Turn, place: number): number {
  return state.resources.find((other, index) => index !== place && other)?.status.certificateId ?? 0;
}

/** The first certificate that nobody here has bought. */
function strangersId({ state }: Turn): number {
  return listed(state).find((id) => certificateOf(state, id)!.buyer === 0) ?? 0;
}

/** A tenant writes an id into the status, and a high revision; the seal does not fit. */
function forge(turn: Turn, place: number, id: number): string | undefined {
  const resource = turn.state.resources[place];
  if (!resource || resource.status.isForged || id === 0) return undefined;
  setResource(turn, place, {
    ...resource,
    status: { ...resource.status, certificateId: id, revision: FORGED_REVISION, isForged: true },
  });
  return `Somebody writes ${id} and a high revision into the status of ${name(place)}.`;
}

const FORGED_REVISION = 9;

/** A tenant writes another's id and certificate into its Secret; the private key it does not have. */
function forgeSecret(turn: Turn, place: number): string | undefined {
  const { state } = turn;
  const uid = state.resources[place]?.uid;
  const id = otherId(turn, place);
  if (uid === undefined || id === 0) return undefined;
  state.secrets = state.secrets.with(place, { version: token(turn), uid, certificateId: id, key: 0 });
  return `Somebody writes ${id} into the Secret of ${name(place)}, without its key.`;
}

type Snapshot = NonNullable<State['snapshot']>;

/** What was bought since a backup may be bought again without the marker, and what is under way in any case. */
function excuse(turn: Turn, { resources, issued }: Snapshot): void {
  const { state } = turn;
  const isNew = (id: number): boolean => certificateOf(state, id)?.key === id;
  const bought = listed(state).filter((id) => {
    const isSince = id % ACCOUNT >= issued[accountOf(id)]!;
    return !turn.marker && isNew(id) && isSince && certificateOf(state, id)!.buyer !== 0;
  });
  const underWay = state.processes
    .flatMap(({ works }) => works)
    .filter(({ uid }) => resources.some((resource) => resource?.uid === uid));
  state.excuses += bought.length + state.requests.length + underWay.length;
}

function restore(turn: Turn, snapshot: Snapshot): string {
  const { state } = turn;
  excuse(turn, snapshot);
  forget(turn, state.journal, snapshot.journal);
  const resources = snapshot.resources.map((resource) => resource && { ...resource, version: token(turn) });
  const journal = snapshot.journal && { ...snapshot.journal, version: token(turn) };
  const secrets = snapshot.secrets.map((secret) => secret && { ...secret, version: token(turn) });
  Object.assign(state, { resources, journal, secrets, snapshot: undefined, isPutBack: true });
  return 'etcd is put back to the backup.';
}

/** A resource and its Secret are put back; if it had gone meanwhile, it has another uid and no seal that fits. */
function restorePlace(turn: Turn, snapshot: Cluster, place: number): string | undefined {
  const { state } = turn;
  const resource = snapshot.resources[place];
  if (!resource) return undefined;
  state.excuses += 1;
  const secret = snapshot.secrets[place];
  const isSame = state.resources[place]?.uid === resource.uid;
  const status = { ...resource.status, isForged: true };
  setResource(turn, place, isSame ? resource : { ...resource, uid: token(turn), status });
  state.secrets = state.secrets.with(place, secret && { ...secret, version: token(turn) });
  state.snapshot = undefined;
  return `${name(place)} and its Secret are put back to the backup.`;
}

function restoreJournal(turn: Turn, journal: Journal): string {
  forget(turn, turn.state.journal, journal, true);
  Object.assign(turn.state, { journal: { ...journal, version: token(turn) }, isPutBack: true });
  turn.state.snapshot = undefined;
  return 'The journal alone is put back to the backup.';
}

/** What was open is excused only once somebody else than the running leader goes on without it. */
function deleteJournal(turn: Turn, journal: Journal): string {
  turn.state.journal = undefined;
  turn.state.lost = journal;
  return 'The journal is deleted.';
}
