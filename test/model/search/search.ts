import { type Bounds, breadthFirst, type Model, type Outcome, type Successor } from './breadth-first.ts';
import { commit, isForJournal } from '../protocol/commit.ts';
import { decide, decideGone } from '../protocol/decide.ts';
import { digestOf } from './digest.ts';
import { eventNames, waysOf } from '../world/events.ts';
import { brokenBy, isAtRest } from './invariants.ts';
import { goOnWithInventory } from '../protocol/inventory.ts';
import type { RuleName } from '../rules.ts';
import { initialState, type Scenario, settingOf } from '../cases/scenarios.ts';
import type { State } from '../world/state.ts';
import { takeStep } from '../protocol/steps.ts';
import { catchUp, noticeJournal, takeOver } from '../protocol/takeover.ts';
import { nothingKnown, type Setting, type Turn } from '../world/turn.ts';
import { act, tick } from '../world/ca.ts';

/** Searches a scenario with some rules off. */
export function search(scenario: Scenario, off: readonly RuleName[] = [], bounds: Bounds = {}): Outcome {
  return breadthFirst(modelOf(scenario, off), bounds);
}

/** What the search needs to know of a scenario. */
export function modelOf(scenario: Scenario, off: readonly RuleName[] = []): Model<State> {
  const setting = settingOf(scenario, off);
  const { resources, specs, issuers, longText } = scenario;
  const isAlike = specs === undefined && issuers === undefined && longText === undefined;
  const isSymmetric = isAlike && resources.length > 1 && new Set(resources).size === 1;
  const isOrdered = setting.rules.windowStart !== setting.rules.windowEnd;
  return {
    start: initialState(scenario),
    digestOf: (state) => digestOf(state, { isSymmetric, isOrdered }),
    successors: (state) => successors(state, setting),
    brokenBy: (state) => brokenBy(state, setting),
    isAtRest,
  };
}

type Take = (turn: Turn) => string | undefined;

/** All that can happen next. What a healthy world does comes first, in an order that lets everything finish. */
function successors(state: State, setting: Setting): Successor<State>[] {
  const found: Successor<State>[] = [];
  const attempt = (take: Take, event?: number): void => {
    const turn: Turn = { ...setting, state: { ...state } };
    if (event !== undefined) {
      turn.state.left = state.left.with(event, state.left[event]! - 1);
      turn.state.events -= 1;
    }
    const sentence = take(turn);
    if (sentence === undefined) return;
    restIdle(turn);
    found.push({ state: turn.state, sentence, isFree: event === undefined });
  };
  for (const [p, { works }] of state.processes.entries()) {
    for (const work of works) attempt((turn) => takeStep(turn, p, work));
  }
  for (const [p, process] of state.processes.entries()) {
    if (process.leads && process.phase !== 'ready') attempt((turn) => takeOver(turn, p));
    if (process.leads && process.phase === 'ready') {
      attempt((turn) => noticeJournal(turn, p));
      for (const place of state.resources.keys()) attempt((turn) => catchUp(turn, p, place));
      for (const place of state.resources.keys()) attempt((turn) => decide(turn, p, place));
      for (const entry of process.journal?.entries ?? []) attempt((turn) => decideGone(turn, p, entry));
    }
    if (process.works.some(isForJournal)) attempt((turn) => commit(turn, p));
  }
  for (const [index, { isGivenUp, patience }] of state.requests.entries()) {
    if (isGivenUp || patience === 0) attempt((turn) => act(turn, index));
  }
  if (state.inventory) attempt(goOnWithInventory);
  attempt(tick);
  if (state.events === 0) return found;
  for (const [event, name] of eventNames.entries()) {
    if (state.left[event] === 0) continue;
    for (const way of waysOf[name](state)) attempt(way, event);
  }
  return found;
}

/** A process without the Lease and without work is a standby. */
function restIdle({ state }: Turn): void {
  if (state.processes.every(({ leads, works, phase }) => leads || works.length > 0 || phase === 'standby'))
    return;
  state.processes = state.processes.map((process) =>
    process.leads || process.works.length > 0 ? process : { ...process, ...nothingKnown, phase: 'standby' },
  );
}
