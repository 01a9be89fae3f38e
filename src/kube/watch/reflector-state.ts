import { backoffDelay } from '../../lib/backoff.ts';
import { isApiError, isExpired } from '../errors.ts';

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
  | ({ readonly type: 'ended' } & WatchProgress)
  | { readonly type: 'list-failed'; readonly error: unknown }
  | ({ readonly type: 'watch-failed'; readonly error: unknown } & WatchProgress)
  | { readonly type: 'waited' };

/** How far a watch came. */
export interface WatchProgress {
  /** Of its last event or bookmark, else where it started. */
  readonly resourceVersion: string;
  /** Events and bookmarks. */
  readonly events: number;
  /** Milliseconds since the server took it; 0 where it did not. */
  readonly openMs: number;
}

/** kube-rs's and client-go's numbers: 0.8 s doubling to 30 s, forgotten after two minutes of health. */
const BACKOFF = { base: 800, max: 30_000, jitter: 0.25 };
const HEALTHY_MS = 120_000;
/** A watch that ends sooner than this without an event has not worked. */
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
      if (hasWorked(outcome)) return watchFrom(outcome.resourceVersion, health);
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
      // Also the way of a quiet kind, see IDLE_MS of the informer.
      if (hasWorked(outcome) && isCut(outcome.error)) return watchFrom(outcome.resourceVersion, health);
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

function hasWorked(watch: WatchProgress): boolean {
  return watch.events > 0 || watch.openMs >= SHORT_WATCH_MS;
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
