import type { Ca } from './ca.ts';
import type { CAcert } from './cacert/ca.ts';
import type { MailHistory } from './cacert/history.ts';
import type { MailPopulation } from './cacert/population.ts';
import type { RunClock } from './clock.ts';
import type { ChaosCluster } from './cluster.ts';
import type { History } from './witness/history.ts';
import type { CaName, IssuerName } from './issuers.ts';
import type { Tag } from './names.ts';
import type { Population, Wanted } from './population.ts';

/** Long enough for something to happen meanwhile. */
export const WHILE_MS = 1_500;

/** The state that all parts of a run share. */
export interface RunState {
  clock: RunClock;
  cluster: ChaosCluster;
  cas: Record<CaName, Ca>;
  history: History;
  population: Population;
  cacert: CAcert;
  mails: MailPopulation;
  mailHistory: MailHistory;
  authorities: Record<IssuerName, number>;
  /** Numbers writes that only need to differ from each other. */
  turn: () => number;
  /** How many more certificates a wish may buy because of deeds to it. */
  allowances: Map<Tag, number>;
  /** Wishes whose certificates the operator was made to forget, by a forged status or a write under older CRDs. */
  forgotten: Set<Tag>;
  /** Older CRDs are installed. */
  isOutdated: boolean;
  /** Deeds done, by kind. */
  done: Map<string, number>;
  /** Work in the background. */
  background: Set<Promise<void>>;
  progress: (line: string) => void;
  /** Aborts once no operator is left. */
  over: AbortController;
  /** Kills the other installation's operator. */
  killOther: () => void;
}

export function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

/** Runs work in the background. If it fails, the run fails when it waits for it. */
export function beside(state: RunState, work: Promise<void>): void {
  const task = work.finally(() => state.background.delete(task));
  state.background.add(task);
}

/** Notes that the certificates of this wish, and of its place before it, can no longer be known. */
export function forget(state: RunState, wanted: Wanted): void {
  const { namespace, name } = wanted;
  for (const tag of state.population.tags.all())
    if (tag.namespace === namespace && tag.name === name) state.forgotten.add(tag);
  allowOneMore(state, wanted);
}

/** Notes that a deed to this wish can cost one more certificate. */
export function allowOneMore({ allowances }: RunState, wanted: Wanted): void {
  wanted.forged += 1;
  allowances.set(wanted.tag, (allowances.get(wanted.tag) ?? 0) + 1);
}
