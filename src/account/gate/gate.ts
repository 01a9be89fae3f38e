import type { Clock } from '../../lib/clock.ts';
import { Breaker } from './breaker.ts';
import type { Reason } from '../../lib/reason.ts';
import { Parking, type Ticket } from './parking.ts';
import { RateLimitPause } from './rate-limit-pause.ts';
import { type Rate, TokenBucket } from './token-bucket.ts';

/** The right to work at an account's CA. Call `release` once the work has ended, whatever its outcome. */
export interface Permit {
  /** The breaker's epoch when it was granted. */
  readonly epoch: number;
  release(): void;
}

export interface GateOptions {
  /** Most issuances under way at once. */
  limit: number;
  clock: Clock;
  /** Most issuances over time; unlimited unless given. */
  rate?: Rate | undefined;
  random?: () => number;
}

interface Waiting {
  ticket: Ticket;
  order: number;
  settle: (permit: Permit | undefined) => void;
}

/** How long a place is kept for a ticket that was woken, before the next one is woken. */
export const PLACE_KEPT_MS = 10_000;

/**
 * Admission control of one account. It grants at most `limit` permits at a time and a rate of them, nearest expiry first;
 * none while a rate limit lasts or the breaker is open, and one at a time while it is half-open. After each stop the limit
 * grows from one. Work that waits here has written no attempt yet, so an interrupted wait needs no recovery. Work that has
 * to wait for long is parked, so that it occupies no worker, and woken later.
 */
export class Gate {
  readonly breaker: Breaker;
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket | undefined;
  readonly #pause: RateLimitPause;
  readonly #parking: Parking;
  readonly #waiting: Waiting[] = [];
  /** Keys that were woken and have a place kept for them, with the function that cancels its timeout. */
  readonly #called = new Map<string, () => void>();
  readonly #listeners = new Set<() => void>();
  /** Most permits in the present epoch; doubles with each success after a stop. */
  #window: number;
  #inside = 0;
  /** Permits of the breaker's present epoch. */
  #insideNow = 0;
  #order = 0;
  #wake: (() => void) | undefined;

  constructor({ limit, clock, rate, random }: GateOptions) {
    this.#limit = limit;
    this.#window = limit;
    this.#clock = clock;
    this.#bucket = rate && new TokenBucket(rate, clock);
    this.#pause = new RateLimitPause(clock);
    this.#parking = new Parking({ clock, onReady: () => this.#advance() });
    this.breaker = new Breaker({ clock, random, onChange: () => this.#onBreaker() });
  }

  /**
   * Resolves to a permit if one is to be had soon, and otherwise parks the ticket and resolves to undefined. Rejects with
   * the signal's reason if it aborts first.
   */
  enter(ticket: Ticket, signal?: AbortSignal): Promise<Permit | undefined> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      this.#parking.remove(ticket.key);
      const isCalled = this.#uncall(ticket.key);
      if (isCalled && !this.#isStopped()) {
        resolve(this.#permit());
        return;
      }
      if (this.#isStopped() || this.breaker.state === 'half-open' || this.#waiting.length >= this.#limit) {
        this.park(ticket);
        resolve(undefined);
        return;
      }
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal?.reason as Error);
      };
      const waiting: Waiting = {
        ticket,
        order: this.#order++,
        settle: (permit) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(permit);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#insert(waiting);
      this.#advance();
    });
  }

  /** Lets a ticket wait without a worker: it is woken when its turn comes, after `afterMs` milliseconds at the earliest. */
  park(ticket: Ticket, afterMs = 0): void {
    this.#parking.park(ticket, afterMs);
    this.#advance();
  }

  /** Whether the account is stopped for this key. */
  isStoppedFor(key: string): boolean {
    if (this.breaker.state === 'half-open') return !this.#called.has(key);
    return this.breaker.state === 'open';
  }

  /** Whether the account is stopped or nothing has succeeded since: work now is only a trial. */
  isOnTrial(): boolean {
    return this.breaker.state !== 'closed' || this.#pause.blockedUntil !== undefined;
  }

  /**
   * Notes that a key begins to work, so that a place kept for it does not time out. Call the returned function when the work
   * ends: it frees the place if no permit was taken. A key that is woken during its work keeps that place for the next time.
   */
  begin(key: string): () => void {
    const cancel = this.#called.get(key);
    if (!cancel) return () => undefined;
    cancel();
    const kept = (): void => undefined;
    this.#called.set(key, kept);
    return () => {
      if (this.#called.get(key) === kept) this.#giveUp(key);
    };
  }

  /** An issuance succeeded. `epoch`: the breaker's when it began. */
  succeeded(key: string, epoch: number): void {
    this.#parking.absolve(key);
    this.#window = Math.min(this.#limit, this.#window * 2);
    const isNews = this.#pause.succeeded();
    this.breaker.issuingSucceeded(epoch);
    if (isNews) this.#tell();
    this.#advance();
  }

  /** An issuance met a fault that seems to be the CA's and not the request's. `epoch`: the breaker's when it began. */
  failed(key: string, epoch: number, fault: Reason): void {
    this.#parking.blame(key);
    this.breaker.issuingFailed(fault, epoch);
  }

  /** The CA refused a request because of its rate limit. `retryAfterMs`: how long it asked to wait. */
  limited(retryAfterMs: number | undefined): void {
    if (!this.#pause.limited(retryAfterMs)) return;
    this.#window = 1;
    this.#stop();
    this.#arm();
    this.#tell();
  }

  /** How long the rate limit still lasts, in milliseconds. */
  get pausedFor(): number {
    return this.#pause.left;
  }

  /** When the last rate limit ends, in milliseconds since the epoch; undefined once something has succeeded after it. */
  get blockedUntil(): number | undefined {
    return this.#pause.blockedUntil;
  }

  /** The fault that stops the account: while the breaker is open, or half-open with work that waits. */
  get fault(): Reason | undefined {
    const { state, fault } = this.breaker;
    return state === 'open' || this.#parking.size + this.#called.size + this.#insideNow > 0
      ? fault
      : undefined;
  }

  /** How many have a permit, how many wait for one with a worker, and how many are parked or woken. */
  get load(): { inside: number; waiting: number; parked: number } {
    const parked = this.#parking.size + this.#called.size;
    return { inside: this.#inside, waiting: this.#waiting.length, parked };
  }

  /** Calls back when the state of the breaker or of a rate limit changes. Returns the function that ends this. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #isStopped(): boolean {
    return this.breaker.state === 'open' || this.#pause.left > 0 || this.#bucket?.available === 0;
  }

  #room(): number {
    if (this.#isStopped()) return 0;
    const window = this.breaker.state === 'half-open' ? 1 : this.#window;
    const places = Math.min(this.#limit - this.#inside, window - this.#insideNow);
    return Math.min(places, this.#bucket?.available ?? places) - this.#called.size;
  }

  /** Grants permits and wakes parked tickets while there is room. */
  #advance(): void {
    if (this.#bucket?.available === 0) this.#stop();
    while (this.#room() > 0) {
      const [waiting] = this.#waiting;
      const parked = this.#parking.peek();
      if (parked && (!waiting || parked.urgency < waiting.ticket.urgency)) {
        this.#call(parked);
      } else if (waiting) {
        this.#waiting.shift();
        waiting.settle(this.#permit());
      } else {
        break;
      }
    }
    this.#arm();
  }

  #call({ key, wake }: Ticket): void {
    this.#parking.remove(key);
    const cancel = this.#clock.timer(PLACE_KEPT_MS, () => this.#giveUp(key));
    this.#called.set(key, cancel);
    wake();
  }

  /** Frees the place that was kept for a key. */
  #giveUp(key: string): void {
    this.#uncall(key);
    this.#advance();
    if (this.breaker.state === 'half-open' && this.#isQuiet()) this.#tell();
  }

  #uncall(key: string): boolean {
    this.#called.get(key)?.();
    return this.#called.delete(key);
  }

  #onBreaker(): void {
    if (this.breaker.state === 'open') {
      this.#window = 1;
      this.#insideNow = 0;
      this.#stop();
    }
    this.#tell();
    this.#advance();
  }

  /** Parks all tickets that wait with a worker, and drops the places kept for others. */
  #stop(): void {
    for (const key of this.#called.keys()) this.#uncall(key);
    for (const { ticket, settle } of this.#waiting.splice(0)) {
      this.#parking.park(ticket);
      settle(undefined);
    }
  }

  /** Sets the one timer, for what time alone changes: the end of a pause, the next token. */
  #arm(): void {
    this.#wake?.();
    this.#wake = undefined;
    const tokenMs = this.#bucket?.available === 0 && this.#parking.size > 0 ? this.#bucket.nextMs : 0;
    const ms = Math.max(this.#pause.left, tokenMs);
    if (ms === 0) return;
    this.#wake = this.#clock.timer(ms, () => {
      if (this.#isQuiet() && this.#pause.over()) this.#tell();
      this.#advance();
    });
  }

  #isQuiet(): boolean {
    return this.#inside + this.#waiting.length + this.#parking.size + this.#called.size === 0;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #insert(waiting: Waiting): void {
    const at = this.#waiting.findIndex(({ ticket }) => ticket.urgency > waiting.ticket.urgency);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, waiting);
  }

  #permit(): Permit {
    const { epoch } = this.breaker;
    this.#bucket?.take();
    this.#inside += 1;
    this.#insideNow += 1;
    let isReleased = false;
    return {
      epoch,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#inside -= 1;
        if (epoch === this.breaker.epoch) this.#insideNow -= 1;
        this.#advance();
      },
    };
  }
}
