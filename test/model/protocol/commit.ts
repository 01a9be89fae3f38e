import { type Journal, nameOfPlace, nameOfProcess, tokenOfPlace, type Work } from '../world/state.ts';
import { opened, openWindows } from './entry.ts';
import { forget } from '../world/forgotten.ts';
import { revoke } from './revocation.ts';
import { findChanged } from './takeover.ts';
import {
  endWork,
  exited,
  processOf,
  setJournal,
  setProcess,
  setWork,
  token,
  type Turn,
} from '../world/turn.ts';

/** One write of the journal takes all entries and removals that wait for it, over the version last written or read. */
export function commit(turn: Turn, p: number, isHeard = true): string | undefined {
  const { state, rules } = turn;
  const { leads, phase, journal, works } = processOf(turn, p);
  const pending = works.filter(isForJournal);
  if (!journal || phase !== 'ready' || pending.length === 0) return undefined;
  const who = nameOfProcess(p);
  if (!state.journal && !leads) return exited(turn, p, `${who} finds the journal missing`);
  if (!state.journal && !rules.leaderRewrites) {
    setProcess(turn, p, { phase: 'missing', wait: 0, journal: undefined, works: [] });
    state.lost = undefined;
    return `${who} finds the journal missing and begins to wait.`;
  }
  if (state.journal && rules.journalVersion && state.journal.version !== journal.version) {
    return findChanged(turn, p, `${who} cannot write the journal: it has changed`);
  }
  const written = withPending(turn, p, journal, pending);
  const isLong =
    !rules.fixedSize && pending.some(({ next, place }) => next === 'enter' && place === turn.longText);
  if (isLong || written.entries.length > turn.room) {
    return findChanged(turn, p, `${who} cannot write the journal: it is too large`);
  }
  const names = written.entries.map(({ place }) => nameOfPlace(place)).join(' ');
  const sentence = `${who} writes the journal${state.journal ? '' : ' again'}; open: [${names}]`;
  for (const { giving, place } of pending) revoke(turn, tokenOfPlace(place), giving.givenUp);
  if (!state.journal) forget(turn, state.lost, journal, true);
  Object.assign(state, { journal: written, lost: undefined });
  openWindows(turn, written.entries);
  if (!isHeard) return findChanged(turn, p, `${sentence}, and the answer is lost`);
  setJournal(turn, p, written);
  for (const work of pending) goOn(turn, p, work, written);
  return `${sentence}.`;
}

function goOn(turn: Turn, p: number, work: Work, written: Journal): void {
  if (work.next === 'enter') {
    const entry = written.entries.find(({ uid }) => uid === work.uid)!;
    return setWork(turn, p, { ...work, next: 'send', entry, removes: 0 });
  }
  const isEarly = !turn.rules.removeLast && work.certificateId > 0 && work.entry !== undefined;
  return isEarly ? setWork(turn, p, { ...work, next: 'result' }) : endWork(turn, p, work.uid);
}

/** Whether a piece of work waits for the next write of the journal. */
export function isForJournal({ next }: Work): boolean {
  return next === 'enter' || next === 'amend' || next === 'remove';
}

/** The journal with all that waits for it. F7: it keeps the highest id that the process knows. */
function withPending(turn: Turn, p: number, journal: Journal, pending: readonly Work[]): Journal {
  const { rules } = turn;
  const { known } = processOf(turn, p);
  const highest = rules.highestInJournal
    ? known.map((id, account) => Math.max(id, journal.highest[account] ?? 0))
    : journal.highest;
  const bounds = rules.highestInJournal ? highest : known;
  let { counter } = journal;
  let entries = journal.entries;
  let { givenUp, released, undecided, abandoned } = journal;
  for (const { next, removes, entry, giving, uid } of pending) {
    const old = journal.entries.find(({ id }) => id === removes);
    entries = entries.filter(({ id }) => id !== removes);
    if (rules.recordGivenUp) {
      givenUp = union(givenUp, giving.givenUp);
      released = union(released, giving.released);
      undecided = union(undecided, giving.undecided);
    }
    const isNew =
      old !== undefined &&
      !abandoned.some(
        (other) => other.uid === uid && other.spec === old.spec && other.account === old.account,
      );
    if (giving.isAbandoned && rules.recordAbandoned && isNew) {
      const { spec, account, afterId, previousId } = old;
      abandoned = [...abandoned, { uid, spec, account, afterId: previousId || afterId }];
    }
    if (next === 'amend') entries = entries.map((each) => (each.id === entry!.id ? entry! : each));
    if (next !== 'enter') continue;
    counter += rules.randomIds ? 0 : 1;
    const made = opened(turn, entry!, bounds, rules.randomIds ? entry!.id : COUNTED + counter);
    entries = [...entries.filter((other) => other.uid !== uid), made];
  }
  entries = entries.toSorted((a, b) => a.place - b.place || a.uid - b.uid);
  return { version: token(turn), entries, highest, givenUp, released, undecided, abandoned, counter };
}

/** Ids from a counter are numbers, not tokens. */
const COUNTED = 900;

function union(a: readonly number[], b: readonly number[]): readonly number[] {
  return b.length === 0 ? a : [...new Set([...a, ...b])].sort((x, y) => x - y);
}
