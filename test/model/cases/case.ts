import type { RuleName } from '../rules.ts';
import type { Scenario } from './scenarios.ts';

/** What breaks without a rule, in a world as small as will do. */
export interface Case {
  /** The rule that the case is for, and the rules that would each catch the same by themselves. It is the case of them all. */
  off: readonly [RuleName, ...RuleName[]];
  world: Scenario;
  breaks: string;
  /** What the shortest trace tells, in this order. */
  tells: readonly RegExp[];
  /** How many steps it has. */
  steps: number;
  /** Looks for `breaks` alone: something else breaks sooner. */
  isOnly?: true;
  /** Takes too long for the tests; `main.ts --cases` searches it. */
  isLong?: true;
}

type World = Pick<Scenario, 'resources' | 'events'> & Partial<Scenario>;

/** A world with one process, in which all the events named may happen. */
export function small(world: World): Scenario {
  const most = Object.values(world.events).reduce((sum, count) => sum + count, 0);
  return { about: 'as small as will do', processes: 1, most, ...world };
}

/** A world in which nothing is excused, so that the price of an admitted limit shows. */
export function strict(world: World): Scenario {
  return small({ ...world, isStrict: true });
}
