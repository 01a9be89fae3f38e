import type { Clock } from '../../lib/clock.ts';
import { Breaker } from './breaker.ts';
import type { Reason } from '../../lib/reason.ts';
import { Parking, type Ticket } from './parking.ts';
import { RateLimitPause } from './rate-limit-pause.ts';
import { type Rate, TokenBucket } from './token-bucket.ts';

/** Leave to work against an account's CA. Give it back with `release`, once, whatever happened. */
export interface Permit {
  /** The breaker's epoch in which it was given. */
  readonly epoch: number;
  release(): void;
}

export interface GateOptions {
  /** Issuances under way at most. */
  limit: number;
  clock: Clock;
  /** Issuances over time at most; any number unless given. */
  rate?: Rate | undefined;
  random?: () => number;
}

interface Waiting {
  ticket: Ticket;
  order: number;
  settle: (permit: Permit | undefined) => void;
}

/** Whoever is called comes within this time, or the next one is called. */
const COME_WITHIN_MS = 10_000;

/**
 * The one door to an account's CA: at most `limit` issuances at a time and a rate of them, nearest expiry first, nobody
 * while a rate limit lasts or the breaker is open, one at a time while it is half-open. After each stop it opens by and
 * by. Whoever waits here has not written an attempt yet, so that waiting costs nothing to recover from; who has to wait
 * for more than their turn is parked, so that no worker waits with them, and called later.
 */
export class Gate {
  readonly breaker: Breaker;
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket | undefined;
  readonly #pause: RateLimitPause;
  readonly #parking: Parking;
  readonly #waiting: Waiting[] = [];
  /** Places kept for those who were called, with what ends the wait for them. */
  readonly #called = new Map<string, () => void>();
  readonly #listeners = new Set<() => void>();
  /** How many may be inside, growing with each success after a stop. */
  #window: number;
  #inside = 0;
  /** Those of them that came in the breaker's present epoch. */
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
   * Waits for a place if there will be one soon. Resolves to undefined if not: the ticket is then parked. Rejects with the
   * signal's reason if it aborts first.
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

  /** Waits without holding anything: the ticket is called when it is its turn, and not before `afterMs`. */
  park(ticket: Ticket, afterMs = 0): void {
    this.#parking.park(ticket, afterMs);
    this.#advance();
  }

  /** Whether this key has to wait for the issuer to be well again. */
  isHeld(key: string): boolean {
    if (this.breaker.state === 'half-open') return !this.#called.has(key);
    return this.breaker.state === 'open';
  }

  /** Whether what this key does is only a trial: nothing is known yet that would be worth saying. */
  isOnTrial(): boolean {
    return this.breaker.state !== 'closed' || this.#pause.blockedUntil !== undefined;
  }

  /**
   * Whoever was called has come and begins to work. Call the result at the end: the place that was kept is free then, if it
   * was not taken. A call that comes during the work is for the next time, and stays.
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

  /** The CA did all that it was asked for. `epoch` is that of the work's begin. */
  succeeded(key: string, epoch: number): void {
    this.#parking.absolve(key);
    this.#window = Math.min(this.#limit, this.#window * 2);
    const isNews = this.#pause.succeeded();
    this.breaker.issuingSucceeded(epoch);
    if (isNews) this.#tell();
    this.#advance();
  }

  /** The CA failed, and not because of what it was asked for as far as can be told. */
  failed(key: string, epoch: number, fault: Reason): void {
    this.#parking.blame(key);
    this.breaker.issuingFailed(fault, epoch);
  }

  /** The CA says that it is asked too often. */
  limited(retryAfterMs: number | undefined): void {
    if (!this.#pause.limited(retryAfterMs)) return;
    this.#window = 1;
    this.#stop();
    this.#arm();
    this.#tell();
  }

  /** How long a rate limit still lasts, in milliseconds. */
  get pausedFor(): number {
    return this.#pause.left;
  }

  /** Until when the CA is left alone, in milliseconds since the epoch; undefined once something succeeded since. */
  get blockedUntil(): number | undefined {
    return this.#pause.blockedUntil;
  }

  /** What stops the account, if it is known to be stopped: open, or half-open with somebody who waits for it. */
  get fault(): Reason | undefined {
    const { state, fault } = this.breaker;
    return state === 'open' || this.#parking.size + this.#called.size + this.#insideNow > 0
      ? fault
      : undefined;
  }

  /** How many are inside, how many wait for a place, and how many for longer. */
  get load(): { inside: number; waiting: number; parked: number } {
    const parked = this.#parking.size + this.#called.size;
    return { inside: this.#inside, waiting: this.#waiting.length, parked };
  }

  /** Calls back when the breaker or a rate limit changed something. Returns the function that ends this. */
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

  /** Lets in or calls as many as there is room for. */
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
    const cancel = this.#clock.timer(COME_WITHIN_MS, () => this.#giveUp(key));
    this.#called.set(key, cancel);
    wake();
  }

  /** The place that was kept for this key is free. */
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

  /** Nobody gets in for a while: workers are set free, and nobody is expected. */
  #stop(): void {
    for (const key of this.#called.keys()) this.#uncall(key);
    for (const { ticket, settle } of this.#waiting.splice(0)) {
      this.#parking.park(ticket);
      settle(undefined);
    }
  }

  /** One timer for what time alone changes: the end of a pause, the next token. */
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
    let held = true;
    return {
      epoch,
      release: () => {
        if (!held) return;
        held = false;
        this.#inside -= 1;
        if (epoch === this.breaker.epoch) this.#insideNow -= 1;
        this.#advance();
      },
    };
  }
}
