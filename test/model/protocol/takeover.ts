import { forget } from '../world/forgotten.ts';
import { type Journal, listed, nameOfProcess, type Phase, QUIET } from '../world/state.ts';
import {
  exited,
  learnIds,
  nothingKnown,
  processOf,
  setJournal,
  setMemory,
  setProcess,
  setView,
  token,
  type Turn,
  type Setting,
} from '../world/turn.ts';

/** The next step of a takeover (F1, F11); undefined if the process does not lead, has to wait, or is ready. */
export function takeOver(turn: Turn, p: number): string | undefined {
  const process = processOf(turn, p);
  if (!process.leads) return undefined;
  const phase = process.phase === 'standby' ? order(turn)[0]! : process.phase;
  if (phase === 'journal') return takeJournal(turn, p);
  if (phase === 'missing') return waitedLongEnough(turn, p);
  if (phase === 'list') return listResources(turn, p);
  return phase === 'inventory' ? listCertificates(turn, p) : undefined;
}

function order({ rules }: Pick<Setting, 'rules'>): Phase[] {
  const list: Phase[] = rules.takeoverLists ? ['list'] : [];
  const first: Phase[] = rules.journalFirst ? ['journal', ...list] : [...list, 'journal'];
  return [...first, 'inventory', 'ready'];
}

function afterPhase(turn: Turn, phase: Phase): Phase {
  const all = order(turn);
  return all[all.indexOf(phase) + 1] ?? 'ready';
}

function takeJournal(turn: Turn, p: number): string {
  const { state, rules } = turn;
  const { journal } = state;
  if (!journal && !rules.missingWaits) return makeJournal(turn, p);
  if (!journal || (state.isPutBack && rules.putBackWaits)) {
    setProcess(turn, p, { phase: 'missing', wait: 0 });
    return `${nameOfProcess(p)} takes over and finds ${journal ? 'a journal that was put back' : 'no journal'}.`;
  }
  return writeJournal(turn, p, journal);
}

/** Once nothing can happen any more of what the lost journal had, or the one before it was put back. */
function waitedLongEnough(turn: Turn, p: number): string | undefined {
  const { journal, isPutBack } = turn.state;
  const { wait } = processOf(turn, p);
  const isWaiting = journal ? isPutBack && turn.rules.putBackWaits : turn.rules.missingWaits;
  if (isWaiting && wait < QUIET) return undefined;
  return journal ? writeJournal(turn, p, journal) : makeJournal(turn, p);
}

function writeJournal(turn: Turn, p: number, journal: Journal): string {
  const { takeoverWrites } = turn.rules;
  const written = takeoverWrites ? { ...asFound(turn, journal), version: token(turn) } : journal;
  Object.assign(turn.state, { journal: written, isPutBack: false });
  setJournal(turn, p, written);
  setProcess(turn, p, { phase: afterPhase(turn, 'journal'), wait: 0 });
  return `${nameOfProcess(p)} takes over and ${takeoverWrites ? 'writes' : 'reads'} the journal.`;
}

/**
 * F8: what was put back is known by the Lease, which the leader held throughout or which nobody has renewed for longer
 * than W + T + X, or by its count of leaders, which the journal does not have.
 */
function asFound({ state, rules }: Turn, journal: Journal): Journal {
  if (!state.isPutBack || !rules.putBackUnsure) return journal;
  return { ...journal, entries: journal.entries.map((entry) => ({ ...entry, isPutBack: true })) };
}

/** F11: another one than the last leader makes a new journal; it takes the CA's highest ids. */
function makeJournal(turn: Turn, p: number): string {
  const { state, rules } = turn;
  if (rules.missingWaits) learnIds(turn, p, listed(state));
  const made: Journal = {
    version: token(turn),
    entries: [],
    highest: processOf(turn, p).known,
    givenUp: [],
    released: [],
    undecided: [],
    abandoned: [],
    counter: 0,
  };
  forget(turn, state.lost, made, true);
  Object.assign(state, { journal: made, lost: undefined, isPutBack: false });
  setJournal(turn, p, made);
  setProcess(turn, p, { phase: afterPhase(turn, 'journal'), wait: 0 });
  return `${nameOfProcess(p)} makes a new journal.`;
}

function listResources(turn: Turn, p: number): string {
  for (const [place, resource] of turn.state.resources.entries()) setView(turn, p, place, { resource });
  setProcess(turn, p, { phase: afterPhase(turn, 'list') });
  return `${nameOfProcess(p)} lists the resources.`;
}

/** The inventory of the takeover; it raises the highest id of each account (F7, F12). */
function listCertificates(turn: Turn, p: number): string {
  const ids = listed(turn.state);
  if (turn.rules.highestInJournal) learnIds(turn, p, ids);
  setProcess(turn, p, { phase: 'ready', inventory: turn.rules.inventoryFirst ? ids : [] });
  return `${nameOfProcess(p)} lists the certificates of the CA.`;
}

/**
 * A process finds the journal changed (F2). A leader drops what is not decided and takes over again; what is bought it
 * goes on to publish. Without the Lease it exits.
 */
export function findChanged(turn: Turn, p: number, what: string): string {
  const process = processOf(turn, p);
  const { journal } = turn.state;
  if (!turn.rules.refusedRepeats && journal) {
    setJournal(turn, p, journal);
    return `${what}; ${nameOfProcess(p)} reads it again.`;
  }
  if (!process.leads) return exited(turn, p, what);
  const works = process.works.filter(
    ({ next }) => next === 'reply' || next === 'secret' || next === 'result',
  );
  for (const { next, entry } of process.works) {
    if (next === 'send') setMemory(turn, p, entry!.id, { isUnsent: true });
  }
  const { memory } = processOf(turn, p);
  setProcess(turn, p, { ...nothingKnown, memory, works, phase: order(turn)[0]! });
  return `${what}; ${nameOfProcess(p)} takes over again.`;
}

/** A leader sees by a watch that the journal is not the one it last wrote. */
export function noticeJournal(turn: Turn, p: number): string | undefined {
  const { leads, phase, journal } = processOf(turn, p);
  if (!leads || phase !== 'ready' || !journal || turn.state.journal?.version === journal.version)
    return undefined;
  if (!turn.state.journal) return undefined;
  return findChanged(turn, p, `${nameOfProcess(p)} sees that the journal has changed`);
}

/** A leader's cache catches up with a resource and its Secret. */
export function catchUp(turn: Turn, p: number, place: number): string | undefined {
  const { leads, phase, views } = processOf(turn, p);
  const { resources, secrets } = turn.state;
  const view = views[place]!;
  const isCurrent =
    view.resource?.version === resources[place]?.version && view.secret?.version === secrets[place]?.version;
  if (!leads || phase !== 'ready' || isCurrent) return undefined;
  setView(turn, p, place, { resource: resources[place], secret: secrets[place] });
  return `The cache of ${nameOfProcess(p)} catches up with ${'ABC'[place] ?? '?'}.`;
}
