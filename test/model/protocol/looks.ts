import {
  ACCOUNT,
  accountOf,
  certificateOf,
  type Entry,
  hasSameKey,
  listed,
  markedUid,
  type StepName,
  type Work,
} from '../world/state.ts';
import { isAbove, learnIds, setView, type Turn } from '../world/turn.ts';

/** What a recovery reads, by the name of the step. */
export type Look = Extract<StepName, 'previous' | 'list' | 'live' | 'cluster'>;

/** A look of a recovery, or a sentence that ends the work. */
type TakeLook = (turn: Turn, p: number, work: Work, entry: Entry) => Partial<Work> | string;

/** The looks of a recovery. */
export const looks: Record<Look, TakeLook> = { previous, list, live, cluster };

/** The look that a recovery begins with. */
export function firstLook(turn: Turn, entry: Entry, isGone: boolean): Look {
  return order(turn, entry, isGone)[0]!;
}

/** The look that comes after another one; undefined after the last. `isGone`: the resource. */
export function lookAfter(turn: Turn, entry: Entry, look: Look, isGone: boolean): Look | undefined {
  const all = order(turn, entry, isGone);
  return all[all.indexOf(look) + 1];
}

/** A LIST of the cluster is needed only where nothing marks what is ours. */
function order({ rules, marker }: Turn, { operation }: Entry, isGone: boolean): Look[] {
  const liveGet: Look[] = rules.liveGet ? ['live'] : [];
  if (operation === 'Reissue')
    return rules.previousBeforeList ? ['previous', 'list', ...liveGet] : ['list', 'previous', ...liveGet];
  if (marker || isGone) return ['list', ...liveGet];
  return rules.listBeforeCluster ? ['list', ...liveGet, 'cluster'] : ['cluster', 'list', ...liveGet];
}

/** What a look has shown, as the rest of a sentence. */
export function sentenceOf(name: Look, { looks: { isPreviousObsolete, candidates }, seen }: Work): string {
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
      ? ids.filter((id) => isAbove(turn, id, entry.previousId) && isSuccessor(turn, entry, id))
      : alike.filter(
          (id) => (!rules.aboveAfterId || isAbove(turn, id, entry.afterId)) && isOwn(turn, entry, id),
        );
  const highest = Math.max(0, ...all);
  // Of a chain of reissues only the end is listed. If that is no candidate, no candidate is a reissue of it.
  const isContinued = (missing: number): boolean =>
    all.some((id) => hasSameKey(state, id, missing) && !candidates.includes(id));
  const missing = (state.certificates[account] ?? []).flatMap((_, number) => {
    const id = account * ACCOUNT + number;
    return number > 0 && id < highest && !all.includes(id) && !isContinued(id) ? [id] : [];
  });
  const strangers = alike.filter((id) => !candidates.includes(id));
  return { looks: { ...work.looks, candidates, strangers, missing } };
}

function isSuccessor({ state, rules }: Turn, { previousId, spec }: Entry, id: number): boolean {
  return rules.reissueByKey ? hasSameKey(state, id, previousId) : certificateOf(state, id)!.spec === spec;
}

/** Whether a certificate carries the marker of the resource, or without one was issued in a window of the entry (F8). */
function isOwn({ state, rules, marker }: Turn, { uid, windows }: Entry, id: number): boolean {
  if (marker) return markedUid(state, id) === uid;
  if (certificateOf(state, id)!.windows.some((window) => windows.includes(window))) return true;
  const isBefore = state.windows.every(
    ({ id: window, from }) => !windows.includes(window) || id % ACCOUNT < from[accountOf(id)]!,
  );
  return isBefore ? !rules.windowStart : !rules.windowEnd;
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

/** A live LIST of the resources, which counts as a GET of the own one. The verdict follows at once, unless the CA's list does. */
function cluster(turn: Turn, p: number, { place, seen }: Work): Partial<Work> | string {
  const { resources } = turn.state;
  const resource = resources[place];
  const others = turn.rules.listBeforeCluster ? {} : { others: resources };
  if (!turn.rules.liveFloor || resource?.version === seen!.version) return others;
  setView(turn, p, place, { resource });
  return 'finds the resource changed in the list';
}
