import { type Clock, type Instant, instant } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reason.ts';
import { type BreakerState, checkWait } from './breaker.ts';
import type { Ticket } from './parking.ts';
import { pauseLeft } from './rate-limit-pause.ts';
import {
  alarmAt,
  faultOf,
  type GateEffect,
  type GateEvent,
  type GateSettings,
  type GateState,
  initialState,
} from './state.ts';
import { admits, advance } from './transition.ts';

/** The right to work at an account's CA. Call `release` once the work has ended, whatever its outcome. */
export interface Permit {
  /** The epoch when it was granted. */
  readonly epoch: number;
  release(): void;
}

/** Whether to check now, or else how long to wait, in milliseconds. Call `end` once after the check, whatever its outcome. */
export type Check = { go: true; end: () => void } | { go: false; waitMs: number };

export interface GateOptions extends GateSettings {
  clock: Clock;
}

/**
 * Admission control of one account. It grants at most `limit` permits at a time and a rate of them, nearest expiry first;
 * none while a rate limit lasts or the breaker is open, and one at a time while it is half-open. After each stop the limit
 * grows from one. Nobody waits here with a worker: work that is not admitted is parked, and reconciled anew when its turn
 * has come. `advance` decides everything; this class keeps its state, calls back, and sets its timer.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #settings: GateSettings;
  readonly #listeners = new Set<() => void>();
  #state: GateState;
  #alarm: { at: number; cancel: () => void } | undefined;
  #closed = false;

  constructor({ clock, ...settings }: GateOptions) {
    this.#clock = clock;
    this.#settings = settings;
    this.#state = initialState(settings, instant(clock));
  }

  /** Grants a permit, or parks the ticket and returns undefined: it is woken when its turn comes. */
  enter(ticket: Ticket): Permit | undefined {
    const { epoch } = this.#state;
    const admitted = this.#happen({ type: 'enter', ticket }).find((effect) => effect.do === 'admit');
    if (!admitted) return undefined;
    const { permit } = admitted;
    return { epoch, release: () => void this.#happen({ type: 'release', permit }) };
  }

  /** Lets a ticket wait: it is woken when its turn comes, after `afterMs` milliseconds at the earliest. */
  park(ticket: Ticket, afterMs = 0): void {
    this.#happen({ type: 'park', ticket, afterMs });
  }

  /**
   * Notes that a key begins to work, so that a place kept for it does not time out. Call the returned function when the work
   * ends: it frees the place if no permit was taken. A key that is woken during its work keeps that place for the next time.
   */
  begin(key: string): () => void {
    if (!this.#state.places.has(key)) return () => undefined;
    this.#happen({ type: 'begin', key });
    return () => void this.#happen({ type: 'end', key });
  }

  /** Forgets a key whose object is gone: its ticket, the place kept for it, and its faults. */
  forget(key: string): void {
    this.#happen({ type: 'forget', key });
  }

  /** An issuance succeeded. `epoch`: that of its permit. */
  succeeded(key: string, epoch: number): void {
    this.#happen({ type: 'succeeded', key, epoch });
  }

  /** An issuance met a fault that seems to be the CA's and not the request's. `epoch`: that of its permit. */
  failed(key: string, epoch: number, fault: Reason): void {
    this.#happen({ type: 'failed', key, epoch, fault });
  }

  /** The CA refused a request because of its rate limit. `retryAfterMs`: how long it asked to wait. */
  limited(retryAfterMs: number | undefined): void {
    this.#happen({ type: 'limited', retryAfterMs });
  }

  /** Asks for permission to check. While the breaker is open, one check at a time is granted, once the wait is over. */
  check(): Check {
    const { breaker } = this.#state;
    const waitMs = checkWait(breaker, instant(this.#clock));
    if (waitMs > 0) return { go: false, waitMs };
    if (breaker.state !== 'open') return { go: true, end: () => undefined };
    this.#happen({ type: 'checking', isUnderWay: true });
    return { go: true, end: () => void this.#happen({ type: 'checking', isUnderWay: false }) };
  }

  checkSucceeded(): void {
    this.#happen({ type: 'checkSucceeded' });
  }

  /** A check met a fault of the CA. */
  checkFailed(fault: Reason): void {
    this.#happen({ type: 'checkFailed', fault });
  }

  /** Makes the next check due now: something changed that may have mended the account. */
  hurry(): void {
    this.#happen({ type: 'hurried' });
  }

  /** Whether the account is stopped for this key. */
  isStoppedFor(key: string): boolean {
    const { breaker, places } = this.#state;
    return breaker.state === 'half-open' ? !places.has(key) : breaker.state === 'open';
  }

  /** Whether `enter` would grant a permit now. */
  admits(ticket: Ticket): boolean {
    return admits(this.#state, ticket, instant(this.#clock), this.#settings);
  }

  /** Whether the account is stopped or nothing has succeeded since: work now is only a trial. */
  isOnTrial(): boolean {
    return this.breaker.state !== 'closed' || this.blockedUntil !== undefined;
  }

  /** The breaker, for whoever reports it. `nextCheck` is in milliseconds since the epoch. */
  get breaker(): {
    state: BreakerState;
    fault: Reason | undefined;
    nextCheck: number | undefined;
    epoch: number;
  } {
    const { breaker, epoch } = this.#state;
    return { state: breaker.state, fault: breaker.fault, nextCheck: breaker.nextCheck?.wall, epoch };
  }

  /** How long the rate limit still lasts, in milliseconds. */
  get pausedFor(): number {
    return pauseLeft(this.#state.pause, instant(this.#clock));
  }

  /** When the last rate limit ends, in milliseconds since the epoch; undefined once something has succeeded after it. */
  get blockedUntil(): number | undefined {
    return this.#state.pause.until?.wall;
  }

  /** The fault that stops the account: while the breaker is open, or half-open with work that waits. */
  get fault(): Reason | undefined {
    return faultOf(this.#state);
  }

  /** How many have a permit, and how many are parked or woken. */
  get load(): { inside: number; parked: number } {
    const { permits, parking, places } = this.#state;
    return { inside: permits.size, parked: parking.byKey.size + places.size };
  }

  /** Whether nothing waits, works or is remembered of any key. */
  get isEmpty(): boolean {
    const { inside, parked } = this.load;
    return inside + parked + this.#state.parking.blamed.size === 0;
  }

  /** Calls back when the state of the breaker or of a rate limit changes. Returns the function that ends this. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits for nothing any more, at the end of the process: an alarm that is set would keep it from ending. */
  close(): void {
    this.#closed = true;
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  #happen(event: GateEvent): readonly GateEffect[] {
    const at = instant(this.#clock);
    const { state, effects } = advance(this.#state, event, at, this.#settings);
    this.#state = state;
    this.#arm(at);
    for (const effect of effects) {
      if (effect.do === 'wake') effect.ticket.wake();
      if (effect.do === 'tell') for (const listener of this.#listeners) listener();
    }
    return effects;
  }

  /** Sets the one timer, for what time alone changes. */
  #arm(now: Instant): void {
    if (this.#closed) return;
    const at = alarmAt(this.#state, this.#settings, now);
    if (at === this.#alarm?.at) return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    if (at === undefined) return;
    const onTime = (): void => {
      this.#alarm = undefined;
      this.#happen({ type: 'time' });
    };
    this.#alarm = { at, cancel: this.#clock.timer(at - now.monotonic, onTime) };
  }
}
