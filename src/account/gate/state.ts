import type { Instant } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reason.ts';
import { type Breaker, CLOSED } from './breaker.ts';
import { NOBODY, type Parking, type Ticket } from './parking.ts';
import { NEVER_LIMITED, type Pause, pauseLeft } from './rate-limit-pause.ts';
import { available, type Bucket, nextTokenAt, type Rate } from './token-bucket.ts';

/** What never changes at a gate. */
export interface GateSettings {
  /** Most issuances under way at once. */
  readonly limit: number;
  /** Most issuances over time; unlimited unless given. */
  readonly rate?: Rate | undefined;
  /** Spreads delays; yields [0, 1). */
  readonly random?: (() => number) | undefined;
}

/** A place that is kept for a key that was woken, and with it the lock of its ticket. */
export interface Place {
  readonly lock: string | undefined;
  /** When it is given up, in monotonic milliseconds; Infinity while the key is worked on. */
  readonly until: number;
}

/** A permit that has not been released. */
export interface Held {
  readonly key: string;
  readonly lock: string | undefined;
  /** The epoch in which it was granted. */
  readonly epoch: number;
}

/** The state of a gate. A value. */
export interface GateState {
  readonly breaker: Breaker;
  readonly pause: Pause;
  readonly bucket: Bucket | undefined;
  readonly parking: Parking;
  /** By key. */
  readonly places: ReadonlyMap<string, Place>;
  /** By number. */
  readonly permits: ReadonlyMap<number, Held>;
  /** Number of the next permit. */
  readonly next: number;
  /** Most permits of the present epoch at once: one after a stop, so one in half-open too, and double with each success. */
  readonly window: number;
  /** How often the account was stopped: by the breaker, or by a rate limit. */
  readonly epoch: number;
}

/** What happened. */
export type GateEvent =
  /** A key that is worked on asks for a permit. */
  | { readonly type: 'enter'; readonly ticket: Ticket }
  /** A ticket waits, and is not ready before `afterMs` milliseconds have passed. */
  | { readonly type: 'park'; readonly ticket: Ticket; readonly afterMs?: number }
  /** The work on a key began, or ended. */
  | { readonly type: 'begin'; readonly key: string }
  | { readonly type: 'end'; readonly key: string }
  /** The object of a key is gone. */
  | { readonly type: 'forget'; readonly key: string }
  | { readonly type: 'release'; readonly permit: number }
  /** An issuance of an epoch succeeded, or met a fault that seems to be the CA's and not the request's. */
  | { readonly type: 'succeeded'; readonly key: string; readonly epoch: number }
  | { readonly type: 'failed'; readonly key: string; readonly epoch: number; readonly fault: Reason }
  /** The CA refused a request because of its rate limit; `retryAfterMs` is how long it asked to wait. */
  | { readonly type: 'limited'; readonly retryAfterMs: number | undefined }
  /** A check that was granted began, or ended; what checks found. */
  | { readonly type: 'checking'; readonly isUnderWay: boolean }
  | { readonly type: 'checkSucceeded' }
  | { readonly type: 'checkFailed'; readonly fault: Reason }
  /** Something changed that may have mended the account. */
  | { readonly type: 'hurried' }
  /** The time of `alarmAt` has come. */
  | { readonly type: 'time' };

/** What the shell does. */
export type GateEffect =
  | { readonly do: 'wake'; readonly ticket: Ticket }
  /** Grants the permit that `enter` asked for. Without this effect, the ticket was parked. */
  | { readonly do: 'admit'; readonly permit: number }
  /** What issuers report of the account has changed. */
  | { readonly do: 'tell' };

export function initialState({ limit, rate }: GateSettings, at: Instant): GateState {
  return {
    breaker: CLOSED,
    pause: NEVER_LIMITED,
    bucket: rate && { tokens: rate.burst, at: at.monotonic },
    parking: NOBODY,
    places: new Map(),
    permits: new Map(),
    next: 0,
    window: limit,
    epoch: 0,
  };
}

/** Whether no key may be admitted, however few are. */
export function isStopped({ breaker, pause }: GateState, at: Instant): boolean {
  return breaker.state === 'open' || pauseLeft(pause, at) > 0;
}

/** How many more keys may be woken or admitted now. Places that are kept count as taken. */
export function room(state: GateState, { limit, rate }: GateSettings, at: Instant): number {
  if (isStopped(state, at)) return 0;
  const { bucket, epoch, permits, places, window } = state;
  const ofEpoch = [...permits.values()].filter((held) => held.epoch === epoch).length;
  const tokens = bucket && rate ? available(bucket, rate, at.monotonic) : Infinity;
  return Math.min(limit - permits.size, window - ofEpoch, tokens) - places.size;
}

/** Whether a key that was admitted or woken has this lock. */
export function isLocked({ permits, places }: GateState, lock: string): boolean {
  for (const held of permits.values()) if (held.lock === lock) return true;
  for (const place of places.values()) if (place.lock === lock) return true;
  return false;
}

/** Whether nothing waits or works. */
export function isQuiet({ parking, places, permits }: GateState): boolean {
  return parking.byKey.size + places.size + permits.size === 0;
}

/** The fault that stops the account: while the breaker is open, or half-open with work that waits. */
export function faultOf(state: GateState): Reason | undefined {
  const { breaker } = state;
  return breaker.state === 'open' || !isQuiet(state) ? breaker.fault : undefined;
}

/** The monotonic time at which time alone changes the state: a `time` event is due then. Undefined if never. */
export function alarmAt(state: GateState, { rate }: GateSettings, at: Instant): number | undefined {
  const { parking, pause, bucket, places } = state;
  const times: number[] = [...places.values()].map(({ until }) => until);
  if (pauseLeft(pause, at) > 0 && pause.until) times.push(pause.until.monotonic);
  if (parking.delayed.first) times.push(parking.delayed.first.readyAt);
  if (bucket && rate && parking.ready.size > 0 && available(bucket, rate, at.monotonic) - places.size <= 0)
    times.push(nextTokenAt(bucket, rate, at.monotonic));
  const first = Math.min(...times);
  return first === Infinity ? undefined : first;
}
