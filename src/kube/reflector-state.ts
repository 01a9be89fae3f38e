import { backoffDelay } from '../lib/backoff.ts';
import { isApiError, isExpired } from './errors.ts';

/** Where a reflector stands. `E` is what it gathers of each object. */
export type ReflectorState<E> = { readonly health: Health } & (Listing<E> | Watching | Waiting<E>);

/** Reading pages of a list; the store still shows the state before. */
export interface Listing<E> {
  readonly phase: 'listing';
  readonly gathered: readonly E[];
  /** Token of the next page; absent for the first. */
  readonly continue?: string;
}

/** The store holds everything up to `resourceVersion`. */
export interface Watching {
  readonly phase: 'watching';
  readonly resourceVersion: string;
}

export interface Waiting<E> {
  readonly phase: 'waiting';
  readonly delayMs: number;
  readonly next: Listing<E> | Watching;
}

/** Failures in a row, and when the last one was (monotonic milliseconds). */
export interface Health {
  readonly failures: number;
  readonly failedAt: number;
}

/** What came of doing what the state says. */
export type Outcome<E> =
  | { readonly type: 'page'; readonly entries: readonly E[]; readonly continue: string }
  | { readonly type: 'listed'; readonly resourceVersion: string }
  | ({ readonly type: 'ended'; readonly lastedMs: number } & WatchProgress)
  | { readonly type: 'list-failed'; readonly error: unknown }
  | ({ readonly type: 'watch-failed'; readonly error: unknown } & WatchProgress)
  | { readonly type: 'waited' };

/** How far a watch came: its last resourceVersion, and the number of events and bookmarks. */
export interface WatchProgress {
  readonly resourceVersion: string;
  readonly events: number;
}

/** kube-rs's and client-go's numbers: 0.8 s doubling to 30 s, forgotten after two minutes of health. */
const BACKOFF = { base: 800, max: 30_000, jitter: 0.25 };
const HEALTHY_MS = 120_000;
/** A watch that ends sooner than this without an event was refused in disguise. */
const SHORT_WATCH_MS = 1000;

export function initialState<E>(): ReflectorState<E> {
  return { phase: 'listing', gathered: [], health: { failures: 0, failedAt: Number.NEGATIVE_INFINITY } };
}

/** The next state. Pure: `now` is monotonic milliseconds and `random` yields [0, 1). */
export function advance<E>(
  state: ReflectorState<E>,
  outcome: Outcome<E>,
  now: number,
  random: () => number,
): ReflectorState<E> {
  const { health } = state;
  switch (outcome.type) {
    case 'page': {
      const before = state.phase === 'listing' ? state.gathered : [];
      const gathered = [...before, ...outcome.entries];
      return { phase: 'listing', gathered, continue: outcome.continue, health };
    }
    case 'listed':
      return watchFrom(outcome.resourceVersion, health);
    case 'ended':
      // The server ends every watch in time, and drops watchers that are slow under load: go on where it stopped.
      if (outcome.events > 0 || outcome.lastedMs >= SHORT_WATCH_MS)
        return watchFrom(outcome.resourceVersion, health);
      return retreat(health, watching(outcome.resourceVersion), now, random);
    case 'list-failed': {
      // Another page of the same list may still be had; an expired token means that list is over.
      const same = state.phase === 'listing' && !isExpired(outcome.error);
      const next: Listing<E> = same ? listingOf(state) : { phase: 'listing', gathered: [] };
      return retreat(health, next, now, random, isExpired(outcome.error));
    }
    case 'watch-failed': {
      if (mustRelist(outcome.error))
        return retreat(health, { phase: 'listing', gathered: [] }, now, random, isExpired(outcome.error));
      if (outcome.events > 0 && isCut(outcome.error)) return watchFrom(outcome.resourceVersion, health);
      return retreat(health, watching(outcome.resourceVersion), now, random);
    }
    case 'waited':
    default:
      return state.phase === 'waiting' ? { ...state.next, health } : state;
  }
}

/**
 * Whether the resourceVersion is of no more use. Everything but these says so: the connection failed, the credentials or rights are
 * missing, the server is overloaded or down. An ERROR event is treated as client-go does: list anew.
 */
function mustRelist(error: unknown): boolean {
  if (!isApiError(error)) return true;
  if (error.verb === 'WATCH') return true;
  return ![0, 401, 403, 429, 500, 502, 503].includes(error.status) || error.reason === 'ProtocolError';
}

function isCut(error: unknown): boolean {
  return isApiError(error) && error.status === 0 && error.reason !== 'ProtocolError';
}

/** Waits before `next`, longer with each failure; not at all when `atOnce` and there was none lately. */
function retreat<E>(
  health: Health,
  next: Listing<E> | Watching,
  now: number,
  random: () => number,
  atOnce = false,
): ReflectorState<E> {
  const failures = now - health.failedAt >= HEALTHY_MS ? 1 : health.failures + 1;
  const after = { failures, failedAt: now };
  if (atOnce && failures === 1) return { ...next, health: after };
  return { phase: 'waiting', delayMs: backoffDelay(BACKOFF, failures, random), next, health: after };
}

function listingOf<E>(state: Listing<E>): Listing<E> {
  const { gathered } = state;
  return {
    phase: 'listing',
    gathered,
    ...(state.continue === undefined ? {} : { continue: state.continue }),
  };
}

function watching(resourceVersion: string): Watching {
  return { phase: 'watching', resourceVersion };
}

function watchFrom<E>(resourceVersion: string, health: Health): ReflectorState<E> {
  return { ...watching(resourceVersion), health };
}
