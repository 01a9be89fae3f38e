import { type Bounds, breadthFirst, type Outcome, type Successor } from './breadth-first.ts';
import { digestOf } from './digest.ts';
import { brokenBy, finishInventory, isReady } from './invariants.ts';
import { initialState, type Scenario, settingOf } from './scenarios.ts';
import type { RuleName } from './rules.ts';
import { type State } from './state.ts';
import { decide, takeStep } from './steps.ts';
import type { Setting, Turn } from './turn.ts';
import { act, eventNames, tick, waysOf } from './world.ts';

/** Searches a scenario with some rules off. */
export function search(scenario: Scenario, off: readonly RuleName[] = [], bounds: Bounds = {}): Outcome {
  const setting = settingOf(scenario, off);
  const isSymmetric = scenario.resources.length > 1;
  return breadthFirst<State>(
    {
      start: initialState(scenario),
      digestOf: (state) => digestOf(state, isSymmetric),
      successors: (state) => successors(state, setting),
      brokenBy: (state) => brokenBy(state, setting),
      isAtRest,
    },
    bounds,
  );
}

/** Nothing is left to do, or a person has been told what to do. */
function isAtRest(state: State): boolean {
  return state.isHalted || isReady(state, ({ isForged }) => isForged);
}

/** All that can happen next. What a healthy world does comes first, in an order that lets everything finish. */
function successors(state: State, setting: Setting): Successor<State>[] {
  const found: Successor<State>[] = [];
  const attempt = (take: (turn: Turn) => string | undefined, event?: number): void => {
    const turn: Turn = { ...setting, state: { ...state } };
    if (event !== undefined) {
      turn.state.left = state.left.with(event, state.left[event]! - 1);
      turn.state.events -= 1;
    }
    const sentence = take(turn);
    if (sentence !== undefined) found.push({ state: turn.state, sentence, isFree: event === undefined });
  };
  for (const p of state.processes.keys()) attempt((turn) => takeStep(turn, p));
  for (const index of state.requests.keys()) attempt((turn) => act(turn, index));
  if (state.inventory) attempt(finishInventory);
  for (const p of state.processes.keys()) {
    for (const r of state.resources.keys()) attempt((turn) => decide(turn, p, r));
  }
  attempt(tick);
  if (state.events === 0) return found;
  for (const [event, name] of eventNames.entries()) {
    if (state.left[event] === 0) continue;
    for (const way of waysOf[name](state)) attempt(way, event);
  }
  return found;
}
