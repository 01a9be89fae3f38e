import type { Instant } from '../../lib/clock.ts';
import {
  checkFailed,
  checking,
  checkSucceeded,
  hurried,
  issuingFailed,
  issuingSucceeded,
} from './breaker.ts';
import { absolved, blamed, due, locked, parked, removed, type Ticket, unlocked } from './parking.ts';
import { eased, limited, over, pauseLeft } from './rate-limit-pause.ts';
import {
  faultOf,
  type GateEffect,
  type GateEvent,
  type GateSettings,
  type GateState,
  isLocked,
  isQuiet,
  isStopped,
  type Place,
  room,
} from './state.ts';
import { taken } from './token-bucket.ts';

/** The next state, and what the shell has to do, in this order. */
export interface Transition {
  readonly state: GateState;
  readonly effects: readonly GateEffect[];
}

/** How long a place is kept for a key that was woken, before the next one is woken, in milliseconds. */
export const PLACE_KEPT_MS = 10_000;

/**
 * The transition function of a gate. Pure: `at` is the present moment.
 *
 * The account:
 *
 *     event             closed             open                          half-open
 *     failed            open               -                             open
 *     checkFailed       open               open, the next check later    open
 *     checkSucceeded    -                  half-open; closed unless an   -
 *                                          issuance had failed
 *     succeeded         window doubled     -                             closed, window doubled
 *     hurried           -                  the next check now            -
 *     limited           paused as well, whatever the breaker's state; a shorter pause changes nothing
 *     time              the pause ends, if it is over
 *
 * To open and to pause are stops: an epoch ends, the window becomes one, and all kept places are given up. `failed` and
 * `succeeded` count only in the epoch in which their work was admitted.
 *
 * One key; "room" is what `room` says, and a lock that another key has leaves none:
 *
 *     event             absent             parked                        woken, its place kept         admitted
 *     enter             admitted if there  (comes without being woken:   admitted; parked if stopped   parked
 *                       is room, except    as absent)                    or its lock is taken
 *                       in half-open;
 *                       else parked
 *     park              parked             parked anew                   parked; the place stays       parked as well
 *     begin             -                  -                             the place waits for the end   -
 *     end               -                  -                             absent, if it was begun       -
 *     release           -                  -                             -                             absent
 *     forget            absent, and its faults are forgotten             absent                        until its release
 *     a stop            -                  -                             absent                        -
 *     time              -                  ready, if delayed until now   absent after `PLACE_KEPT_MS`  -
 *
 * After each event the tickets that are ready are woken while there is room, the nearest expiry first. Each keeps one place
 * and its lock from then on.
 */
export function advance(state: GateState, event: GateEvent, at: Instant, settings: GateSettings): Transition {
  const effects: GateEffect[] = [];
  const next = settled(stepped(state, event, at, settings, effects), at, settings, effects);
  if (isNews(state, next)) effects.push({ do: 'tell' });
  return { state: next, effects };
}

function stepped(
  state: GateState,
  event: GateEvent,
  at: Instant,
  settings: GateSettings,
  effects: GateEffect[],
): GateState {
  const { breaker, parking, pause, places } = state;
  switch (event.type) {
    case 'enter':
      return entered(state, event.ticket, at, settings, effects);
    case 'park':
      return { ...state, parking: parked(parking, event.ticket, at.monotonic, event.afterMs) };
    case 'begin': {
      const place = places.get(event.key);
      return place ? withPlace(state, event.key, { ...place, until: Infinity }) : state;
    }
    case 'end':
      return places.get(event.key)?.until === Infinity ? withoutPlace(state, event.key) : state;
    case 'forget': {
      const rest = withoutPlace(state, event.key);
      return { ...rest, parking: absolved(removed(rest.parking, event.key), event.key) };
    }
    case 'release':
      return released(state, event.permit);
    case 'succeeded': {
      const rest = { ...state, parking: absolved(parking, event.key), pause: eased(pause, at) };
      if (event.epoch !== state.epoch) return rest;
      const window = isStopped(state, at) ? state.window : Math.min(settings.limit, state.window * 2);
      return { ...rest, breaker: issuingSucceeded(breaker), window };
    }
    case 'failed': {
      const rest = { ...state, parking: blamed(parking, event.key, at.monotonic) };
      if (event.epoch !== state.epoch) return rest;
      return stoppedIf(rest, { breaker: issuingFailed(breaker, event.fault, at, settings.random) });
    }
    case 'limited':
      return stoppedIf(state, { pause: limited(pause, event.retryAfterMs, at) });
    case 'checking':
      return { ...state, breaker: checking(breaker, event.isUnderWay) };
    case 'checkSucceeded':
      return { ...state, breaker: checkSucceeded(breaker) };
    case 'checkFailed':
      return stoppedIf(state, { breaker: checkFailed(breaker, event.fault, at, settings.random) });
    case 'hurried':
      return { ...state, breaker: hurried(breaker, at) };
    case 'time':
      return [...places]
        .filter(([, { until }]) => until <= at.monotonic)
        .reduce((rest, [key]) => withoutPlace(rest, key), state);
    default:
      return event satisfies never;
  }
}

/** Whether a ticket would be admitted. In half-open only a key that was woken is: it has asked all guards since. */
export function admits(state: GateState, ticket: Ticket, at: Instant, settings: GateSettings): boolean {
  const { key, lock } = ticket;
  const rest = withoutPlace(state, key);
  return (
    room(rest, settings, at) > 0 &&
    (state.places.has(key) || state.breaker.state === 'closed') &&
    ![...rest.permits.values()].some((held) => held.key === key) &&
    (lock === undefined || !isLocked(rest, lock))
  );
}

/** Admits a ticket, or parks it. */
function entered(
  state: GateState,
  ticket: Ticket,
  at: Instant,
  settings: GateSettings,
  effects: GateEffect[],
): GateState {
  const rest = withoutPlace({ ...state, parking: removed(state.parking, ticket.key) }, ticket.key);
  if (!admits(state, ticket, at, settings))
    return { ...rest, parking: parked(rest.parking, ticket, at.monotonic) };
  const { bucket, epoch, next, permits } = rest;
  effects.push({ do: 'admit', permit: next });
  return {
    ...rest,
    permits: new Map(permits).set(next, { key: ticket.key, lock: ticket.lock, epoch }),
    next: next + 1,
    bucket: bucket && settings.rate && taken(bucket, settings.rate, at.monotonic),
  };
}

function released(state: GateState, number: number): GateState {
  const held = state.permits.get(number);
  if (!held) return state;
  const permits = new Map(state.permits);
  permits.delete(number);
  return freed({ ...state, permits }, held.lock);
}

/** Wakes what is ready while there is room, and forgets a pause that is over and that nothing waits for. */
function settled(before: GateState, at: Instant, settings: GateSettings, effects: GateEffect[]): GateState {
  let state: GateState = { ...before, parking: due(before.parking, at.monotonic) };
  while (room(state, settings, at) > 0) {
    const ticket = state.parking.ready.first?.ticket;
    if (!ticket) break;
    if (ticket.lock !== undefined && isLocked(state, ticket.lock)) {
      state = { ...state, parking: locked(state.parking) };
      continue;
    }
    const until = at.monotonic + PLACE_KEPT_MS;
    state = withPlace({ ...state, parking: removed(state.parking, ticket.key) }, ticket.key, {
      lock: ticket.lock,
      until,
    });
    effects.push({ do: 'wake', ticket });
  }
  return isQuiet(state) && pauseLeft(state.pause, at) === 0
    ? { ...state, pause: over(state.pause, at) }
    : state;
}

/** Begins a new epoch if the breaker opened or a pause began or grew: nothing is admitted, and later one after the other. */
function stoppedIf(state: GateState, change: Partial<Pick<GateState, 'breaker' | 'pause'>>): GateState {
  const next = { ...state, ...change };
  const isOpened = state.breaker.state !== 'open' && next.breaker.state === 'open';
  if (!isOpened && next.pause === state.pause) return next;
  const rest = [...state.places.keys()].reduce(withoutPlace, next);
  return { ...rest, window: 1, epoch: state.epoch + 1 };
}

function withPlace(state: GateState, key: string, place: Place): GateState {
  return { ...state, places: new Map(state.places).set(key, place) };
}

function withoutPlace(state: GateState, key: string): GateState {
  const place = state.places.get(key);
  if (!place) return state;
  const places = new Map(state.places);
  places.delete(key);
  return freed({ ...state, places }, place.lock);
}

/** Lets the next ticket come that waits for a lock. */
function freed(state: GateState, lock: string | undefined): GateState {
  return lock === undefined ? state : { ...state, parking: unlocked(state.parking, lock) };
}

/** Whether issuers have something new to report. That work has come to a half-open account is not: a trial shows soon. */
function isNews(before: GateState, after: GateState): boolean {
  return (
    before.breaker.state !== after.breaker.state ||
    before.breaker.nextCheck !== after.breaker.nextCheck ||
    before.pause.until !== after.pause.until ||
    (faultOf(before) !== undefined && faultOf(after) === undefined)
  );
}
