import { describe, expect, test } from 'vitest';
import type { BreakerState } from './breaker.ts';
import { pauseLeft } from './rate-limit-pause.ts';
import { type GateEffect, type GateEvent, type GateState, faultOf, initialState, isQuiet } from './state.ts';
import { advance, PLACE_KEPT_MS } from './transition.ts';

const FAULT = { reason: 'UnknownError', message: 'TinyCert failed without giving a reason.' };
const settings = { limit: 4, random: () => 0.5 };
const NOW = { wall: 1_000_000, monotonic: 0 };

/** A gate as a value, with everything it asked for so far. */
class Run {
  state: GateState = initialState(settings, NOW);
  at = NOW;
  effects: readonly GateEffect[] = [];

  do(...events: GateEvent[]): this {
    for (const event of events) {
      const next = advance(this.state, event, this.at, settings);
      this.state = next.state;
      this.effects = next.effects;
    }
    return this;
  }

  pass(ms: number): this {
    this.at = { wall: this.at.wall + ms, monotonic: this.at.monotonic + ms };
    return this.do({ type: 'time' });
  }

  woken(): string[] {
    return this.effects.flatMap((effect) => (effect.do === 'wake' ? [effect.ticket.key] : []));
  }

  get isTold(): boolean {
    return this.effects.some((effect) => effect.do === 'tell');
  }
}

function ticket(key: string, lock?: string, urgency = 0) {
  return { key, urgency, ...(lock === undefined ? {} : { lock }), wake: () => undefined };
}
const enter = (key: string, lock?: string): GateEvent => ({ type: 'enter', ticket: ticket(key, lock) });
const park = (key: string, lock?: string, urgency = 0): GateEvent => ({
  type: 'park',
  ticket: ticket(key, lock, urgency),
});
const begin = (key: string): GateEvent => ({ type: 'begin', key });
const end = (key: string): GateEvent => ({ type: 'end', key });
const forget = (key: string): GateEvent => ({ type: 'forget', key });
const release = (permit: number): GateEvent => ({ type: 'release', permit });
const failed = (epoch: number, key = 'x'): GateEvent => ({ type: 'failed', key, epoch, fault: FAULT });
const succeeded = (epoch: number, key = 'x'): GateEvent => ({ type: 'succeeded', key, epoch });
const limited = (retryAfterMs?: number): GateEvent => ({ type: 'limited', retryAfterMs });
const checkFailed: GateEvent = { type: 'checkFailed', fault: FAULT };
const checkSucceeded: GateEvent = { type: 'checkSucceeded' };

describe('the account', () => {
  const reach: Record<BreakerState, readonly GateEvent[]> = {
    closed: [],
    open: [failed(0)],
    'half-open': [failed(0), checkSucceeded],
  };

  test.each<[BreakerState, string, (epoch: number) => GateEvent, BreakerState, 'told' | 'silent']>([
    ['closed', 'failed', failed, 'open', 'told'],
    ['closed', 'checkFailed', () => checkFailed, 'open', 'told'],
    ['closed', 'checkSucceeded', () => checkSucceeded, 'closed', 'silent'],
    ['closed', 'succeeded', succeeded, 'closed', 'silent'],
    ['closed', 'hurried', () => ({ type: 'hurried' }), 'closed', 'silent'],
    ['closed', 'limited', () => limited(5_000), 'closed', 'told'],
    ['open', 'failed', failed, 'open', 'silent'],
    ['open', 'checkFailed', () => checkFailed, 'open', 'told'],
    ['open', 'checkSucceeded', () => checkSucceeded, 'half-open', 'told'],
    ['open', 'succeeded', succeeded, 'open', 'silent'],
    ['open', 'hurried', () => ({ type: 'hurried' }), 'open', 'told'],
    ['open', 'limited', () => limited(5_000), 'open', 'told'],
    ['half-open', 'failed', failed, 'open', 'told'],
    ['half-open', 'checkFailed', () => checkFailed, 'open', 'told'],
    ['half-open', 'checkSucceeded', () => checkSucceeded, 'half-open', 'silent'],
    ['half-open', 'succeeded', succeeded, 'closed', 'told'],
    ['half-open', 'hurried', () => ({ type: 'hurried' }), 'half-open', 'silent'],
    ['half-open', 'limited', () => limited(5_000), 'half-open', 'told'],
  ])('%s, after %s', (before, _, event, after, told) => {
    const run = new Run().do(...reach[before]);
    run.do(event(run.state.epoch));
    expect(run.state.breaker.state).toBe(after);
    expect(run.isTold).toBe(told === 'told');
  });

  test('closes after a check if no issuance had failed', () => {
    expect(new Run().do(checkFailed, checkSucceeded).state.breaker.state).toBe('closed');
  });

  test.each<[string, GateEvent]>([
    ['opens', failed(0)],
    ['is paused', limited(5_000)],
  ])('begins an epoch, with a window of one and no kept places, when it %s', (_, event) => {
    const run = new Run().do(park('a'), event);
    expect(run.state).toMatchObject({ epoch: 1, window: 1 });
    expect(run.state.places.size).toBe(0);
    run.do(succeeded(1));
    expect(run.state.window).toBe(1);
  });

  test('begins none with a further fault, or a shorter pause', () => {
    expect(new Run().do(checkFailed, checkFailed).state.epoch).toBe(1);
    expect(new Run().do(limited(5_000), limited(1_000)).state.epoch).toBe(1);
  });

  test.each<[string, (epoch: number) => GateEvent]>([
    ['failed', failed],
    ['successful', succeeded],
  ])('a %s issuance of an earlier epoch counts for nothing', (_, event) => {
    const run = new Run().do(...reach['half-open'], event(0));
    expect(run.state.breaker.state).toBe('half-open');
    expect(run.state.window).toBe(1);
  });

  test('its window doubles with each success of the epoch, up to the limit', () => {
    const run = new Run().do(limited(1_000)).pass(1_000);
    const windows = Array.from({ length: 4 }, () => run.do(succeeded(1)).state.window);
    expect(windows).toEqual([2, 4, 4, 4]);
  });

  test('a pause that is over is told once if nothing waits, and else when something has succeeded', () => {
    const quiet = new Run().do(limited(1_000)).pass(1_000);
    expect([quiet.isTold, quiet.state.pause.until]).toEqual([true, undefined]);
    const busy = new Run().do(limited(1_000), enter('a')).pass(1_000);
    expect([busy.isTold, busy.woken()]).toEqual([false, ['a']]);
    busy.do(succeeded(1));
    expect([busy.isTold, busy.state.pause.until]).toEqual([true, undefined]);
  });

  test('a half-open one is told when nothing is left that could be its trial', () => {
    const run = new Run().do(...reach['half-open'], park('a'));
    expect(faultOf(run.state)).toEqual(FAULT);
    run.do(forget('a'));
    expect([run.isTold, faultOf(run.state)]).toEqual([true, undefined]);
  });
});

describe('a key', () => {
  /** Where a key stands. */
  const where = ({ state }: Run, key = 'a'): string => {
    if ([...state.permits.values()].some((held) => held.key === key)) return 'admitted';
    if (state.places.has(key)) return 'woken';
    return [...state.parking.byKey].some((each) => each.ticket.key === key) ? 'parked' : 'absent';
  };
  const full = [enter('1'), enter('2'), enter('3'), enter('4')];

  /** Brings `a` into a state. Its permit, if it has one, is number 0. */
  const reach = {
    absent: () => new Run(),
    parked: () => new Run().do(...full, park('a')),
    woken: () => new Run().do(park('a')),
    begun: () => new Run().do(park('a'), begin('a')),
    admitted: () => new Run().do(enter('a')),
  };
  const kept = (run: Run): number | undefined => run.state.places.get('a')?.until;

  test.each<[keyof typeof reach, string, GateEvent, string]>([
    ['absent', 'enter', enter('a'), 'admitted'],
    ['absent', 'park', park('a'), 'woken'],
    ['absent', 'begin', begin('a'), 'absent'],
    ['absent', 'end', end('a'), 'absent'],
    ['absent', 'forget', forget('a'), 'absent'],
    ['absent', 'release', release(0), 'absent'],
    ['parked', 'enter', enter('a'), 'parked'],
    ['parked', 'park', park('a'), 'parked'],
    ['parked', 'begin', begin('a'), 'parked'],
    ['parked', 'end', end('a'), 'parked'],
    ['parked', 'forget', forget('a'), 'absent'],
    ['parked', 'the release of another', release(0), 'woken'],
    ['parked', 'a stop', checkFailed, 'parked'],
    ['woken', 'enter', enter('a'), 'admitted'],
    ['woken', 'park', park('a'), 'woken'],
    ['woken', 'begin', begin('a'), 'woken'],
    ['woken', 'end', end('a'), 'woken'],
    ['woken', 'forget', forget('a'), 'absent'],
    ['woken', 'a stop', checkFailed, 'absent'],
    ['begun', 'enter', enter('a'), 'admitted'],
    ['begun', 'end', end('a'), 'absent'],
    ['begun', 'forget', forget('a'), 'absent'],
    ['begun', 'a stop', limited(1_000), 'absent'],
    ['admitted', 'enter', enter('a'), 'admitted'],
    ['admitted', 'begin', begin('a'), 'admitted'],
    ['admitted', 'end', end('a'), 'admitted'],
    ['admitted', 'forget', forget('a'), 'admitted'],
    ['admitted', 'release', release(0), 'absent'],
    ['admitted', 'the release of another', release(7), 'admitted'],
    ['admitted', 'a stop', checkFailed, 'admitted'],
  ])('%s, after %s', (before, _, event, after) => {
    expect(where(reach[before]().do(event))).toBe(after);
  });

  test('that was woken loses its place after a while, and not while it is worked on', () => {
    expect(where(reach.woken().pass(PLACE_KEPT_MS - 1))).toBe('woken');
    expect(where(reach.woken().pass(PLACE_KEPT_MS))).toBe('absent');
    expect(where(reach.begun().pass(PLACE_KEPT_MS))).toBe('woken');
  });

  test('that is woken again during its work keeps its place after that', () => {
    const run = reach.begun().do(enter('a'), release(0), park('a'), end('a'));
    expect(where(run)).toBe('woken');
    expect(kept(run)).toBe(PLACE_KEPT_MS);
    run.do(begin('a'), end('a'));
    expect(where(run)).toBe('absent');
  });

  test.each<[string, readonly GateEvent[]]>([
    ['the breaker is open', [checkFailed]],
    ['the account is paused', [limited(1_000)]],
    ['half-open, it was not woken', [failed(0), checkSucceeded, park('b', undefined, -1)]],
    ['there is no room', full],
    ['another has its lock', [enter('b', 'name')]],
    ['another was woken with its lock', [park('b', 'name')]],
  ])('is parked if %s', (_, events) => {
    expect(where(new Run().do(...events, enter('a', 'name')))).toBe('parked');
  });

  test('in half-open is admitted once it was woken, and is the only one', () => {
    const run = new Run().do(failed(0), checkSucceeded, enter('a'), enter('b'));
    expect([where(run), where(run, 'b')]).toEqual(['woken', 'parked']);
    run.do(enter('a'));
    expect([where(run), where(run, 'b')]).toEqual(['admitted', 'parked']);
  });

  test('that is forgotten frees its place, its lock and its faults at once', () => {
    const run = new Run().do(failed(0, 'a'), checkSucceeded, park('a', 'name'), park('b', 'name'));
    expect([where(run), where(run, 'b')]).toEqual(['woken', 'parked']);
    run.do(forget('a'));
    expect(run.woken()).toEqual(['b']);
    run.do(forget('b'));
    expect(isQuiet(run.state)).toBe(true);
    expect(run.state.parking.blamed.size).toBe(0);
  });
});

describe('a lock', () => {
  test('passes to the nearest expiry when its holder is released, and holds up nobody else', () => {
    const run = new Run().do(
      enter('a', 'name'),
      park('far', 'name', 9),
      park('near', 'name', 5),
      park('other'),
    );
    expect(run.woken()).toEqual(['other']);
    run.do(release(0));
    expect(run.woken()).toEqual(['near']);
    run.do(enter('near', 'name'), enter('far', 'name'));
    expect(run.effects.some((effect) => effect.do === 'admit')).toBe(false);
    run.do(release(1));
    expect(run.woken()).toEqual(['far']);
  });

  test('passes on when its holder comes for another one', () => {
    const run = new Run().do(park('a', 'name'), park('b', 'name'));
    run.do(enter('a', 'another name'));
    expect(run.woken()).toEqual(['b']);
  });

  test('is free again after a stop has taken the place of its holder', () => {
    const run = new Run().do(park('a', 'name'), park('b', 'name', 1), limited(1_000)).pass(1_000);
    expect(run.woken()).toEqual(['b']);
  });
});

test('a state is a value: no event changes one that was given', () => {
  const run = new Run().do(park('a', 'name'), park('b', 'name'), enter('c'));
  const { state } = run;
  const { at } = run;
  const before = [...state.parking.byKey, ...state.places, ...state.permits];
  for (const event of [failed(0, 'c'), forget('a'), release(0), limited(1), enter('a'), park('d')])
    advance(state, event, at, settings);
  expect([...state.parking.byKey, ...state.places, ...state.permits]).toEqual(before);
  expect(pauseLeft(state.pause, at)).toBe(0);
});
