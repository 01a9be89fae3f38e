import { backoffDelay } from '../../lib/backoff.ts';
import { isApiError, isExpired } from '../errors.ts';

/** The state of a reflector. `E` is what it gathers for each object. */
export type ReflectorState<E> = { readonly health: Health } & (Listing<E> | Watching | Waiting<E>);

/** Reading the pages of a list; the store still shows the earlier state. */
export interface Listing<E> {
  readonly phase: 'listing';
  readonly gathered: readonly E[];
  /** Token of the next page; absent for the first. */
  readonly continue?: string;
}

/** The store reflects everything up to `resourceVersion`. */
export interface Watching {
  readonly phase: 'watching';
  readonly resourceVersion: string;
}

export interface Waiting<E> {
  readonly phase: 'waiting';
  readonly delayMs: number;
  readonly next: Listing<E> | Watching;
}

/** Failures in a row, and the time of the last one in monotonic milliseconds. */
export interface Health {
  readonly failures: number;
  readonly failedAt: number;
}

/** The outcome of the step that the state asks for. */
export type Outcome<E> =
  | { readonly type: 'page'; readonly entries: readonly E[]; readonly continue: string }
  | { readonly type: 'listed'; readonly resourceVersion: string }
  | ({ readonly type: 'ended' } & WatchProgress)
  | { readonly type: 'list-failed'; readonly error: unknown }
  | ({ readonly type: 'watch-failed'; readonly error: unknown } & WatchProgress)
  | { readonly type: 'waited' };

/** How far a watch got. */
export interface WatchProgress {
  /** That of its last event or bookmark, else the one it started from. */
  readonly resourceVersion: string;
  /** Number of events and bookmarks. */
  readonly events: number;
  /** Milliseconds since the server accepted the watch; 0 if it did not. */
  readonly openMs: number;
}

/** Delay after a failed list or watch: 0.8 s doubling to 30 s, as in kube-rs and client-go. */
export const REFLECTOR_BACKOFF = { base: 800, max: 30_000, jitter: 0.25 };
/** Failures are forgotten after this many milliseconds without one, as in kube-rs and client-go. */
export const REFLECTOR_HEALTHY_MS = 120_000;
/** A watch that ends within this many milliseconds and without an event counts as failed. */
export const SHORT_WATCH_MS = 1000;

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
      // The server ends every watch after a time and drops slow watchers under load: continue where it stopped.
      if (hasWorked(outcome)) return watchFrom(outcome.resourceVersion, health);
      return retreat(health, watching(outcome.resourceVersion), now, random);
    case 'list-failed': {
      // The next page of the same list may still succeed, unless its token has expired.
      const same = state.phase === 'listing' && !isExpired(outcome.error);
      const next: Listing<E> = same ? listingOf(state) : { phase: 'listing', gathered: [] };
      return retreat(health, next, now, random, isExpired(outcome.error));
    }
    case 'watch-failed': {
      if (mustRelist(outcome.error))
        return retreat(health, { phase: 'listing', gathered: [] }, now, random, isExpired(outcome.error));
      // A quiet kind gets here too: see IDLE_MS of the informer.
      if (hasWorked(outcome) && isCut(outcome.error)) return watchFrom(outcome.resourceVersion, health);
      return retreat(health, watching(outcome.resourceVersion), now, random);
    }
    case 'waited':
    default:
      return state.phase === 'waiting' ? { ...state.next, health } : state;
  }
}

/**
 * Whether the resourceVersion is useless now. It is, except if the connection failed, credentials or rights are missing, or the server
 * is overloaded or down. After an ERROR event it lists again, as client-go does.
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

/** Waits before `next`, longer with each failure. Does not wait if `atOnce` and this is the first failure lately. */
function retreat<E>(
  health: Health,
  next: Listing<E> | Watching,
  now: number,
  random: () => number,
  atOnce = false,
): ReflectorState<E> {
  const failures = now - health.failedAt >= REFLECTOR_HEALTHY_MS ? 1 : health.failures + 1;
  const after = { failures, failedAt: now };
  if (atOnce && failures === 1) return { ...next, health: after };
  return {
    phase: 'waiting',
    delayMs: backoffDelay(REFLECTOR_BACKOFF, failures, random),
    next,
    health: after,
  };
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
