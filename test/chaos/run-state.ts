import type { Ca } from './ca.ts';
import type { RunClock } from './clock.ts';
import type { ChaosCluster } from './cluster.ts';
import type { IssuerName, Tag } from './names.ts';
import type { Population, Wanted } from './population.ts';

/** What everything in a run works with. */
export interface RunState {
  clock: RunClock;
  cluster: ChaosCluster;
  ca: Ca;
  population: Population;
  authorities: Record<IssuerName, number>;
  /** Numbers what is written for its own sake, so that no two writes are the same. */
  turn: () => number;
  /** How often a wish may be bought once more, for what was done to it. */
  allowances: Map<Tag, number>;
  /** Wishes of which somebody made the operator forget what it had: by a forged status, or by a write under older CRDs. */
  forgotten: Set<Tag>;
  /** Older CRDs are installed. */
  isOutdated: boolean;
  /** Deeds done, by kind. */
  done: Map<string, number>;
  /** Work that goes on beside. */
  background: Set<Promise<void>>;
  progress: (line: string) => void;
  /** Aborts when there is no operator any more. */
  over: AbortController;
  /** Kills the other installation's operator. */
  killOther: () => void;
}

export function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

/** Lets work go on beside; what fails in it fails the run when it is waited for. */
export function beside(state: RunState, work: Promise<void>): void {
  const task = work.finally(() => state.background.delete(task));
  state.background.add(task);
}

/** Nobody can tell any more what this wish had, and what the place had before it. */
export function forget(state: RunState, wanted: Wanted): void {
  const { namespace, name } = wanted;
  for (const tag of state.population.tags.all())
    if (tag.namespace === namespace && tag.name === name) state.forgotten.add(tag);
  allowOneMore(state, wanted);
}

/** What was done to this wish can cost one more certificate. */
export function allowOneMore({ allowances }: RunState, wanted: Wanted): void {
  wanted.forged += 1;
  allowances.set(wanted.tag, (allowances.get(wanted.tag) ?? 0) + 1);
}
