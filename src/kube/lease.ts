import { type Clock, deadline } from '../lib/clock.ts';
import { AppError, asError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { within } from '../lib/within.ts';
import type { LeaseMetrics } from '../metrics/registry.ts';
import { isConflict } from './errors.ts';
import type { KubeObject, ObjectRef, ResourceType } from './objects.ts';

export interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  spec?: LeaseSpec;
}

export const leases: ResourceType<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

/** What the elector needs of the client. `find` gives undefined for an object that does not exist. */
export interface LeaseClient {
  find(
    type: ResourceType<Lease>,
    ref: ObjectRef,
    options: { signal: AbortSignal },
  ): Promise<Lease | undefined>;
  create(type: ResourceType<Lease>, object: Lease, options: { signal: AbortSignal }): Promise<Lease>;
  update(type: ResourceType<Lease>, object: Lease, options: { signal: AbortSignal }): Promise<Lease>;
}

export interface LeaderElectorOptions {
  client: LeaseClient;
  clock: Clock;
  log: Logger;
  namespace: string;
  name: string;
  /** Tells this process from all others, those of the same host too: host name and a UUID. */
  identity: string;
  /** How long others wait for a renewal, on their own clocks; 15 s unless given. */
  leaseDurationMs?: number;
  /** How long leadership is believed after the start of the last good renewal; 10 s unless given. */
  renewDeadlineMs?: number;
  /** Between two tries; 2 s unless given. */
  retryPeriodMs?: number;
  metrics?: LeaseMetrics;
  /** Spreads the tries of those who wait; `Math.random` unless given. */
  random?: () => number;
}

/** A request to the API server outlived its time. */
export class LeaseTimeoutError extends AppError {
  constructor() {
    super('LeaseTimeout', 'The API server did not answer in time about the Lease.');
  }
}

/** An instant on both clocks. */
interface Instant {
  wall: number;
  monotonic: number;
}

/** The Lease as this process last saw it change. */
interface Observation {
  /** uid and resourceVersion; '' for a Lease that is not there. */
  version: string;
  holder: string;
  durationMs: number;
  /** Monotonic time of this process. */
  at: number;
}

type Attempt = 'held' | 'taken';

const CLOCK_SKEW_MS = 1000;

/**
 * Leader election with a Lease: acquires it, renews it, and gives it back at the end.
 *
 * Guarantee: `isHeld` is never true in two processes that use one Lease. It rests on `renewDeadline < leaseDuration`, counted by
 * each process on its own clock: the holder counts from before it sent a write, the others from after they saw it. No clock of
 * one machine is compared with that of another.
 *
 * Caveats: a Lease that someone deletes may be taken by a process that never saw it, up to one retry period before the holder
 * notices; a virtual machine whose clocks both stood still for the same time learns of it only from the next write's conflict.
 */
export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #waiters = new Set<() => void>();
  /** Start of the last renewal that the API server confirmed. */
  #renewed: Instant | undefined;
  #seen: Observation | undefined;
  /** The Lease as our own last write left it; undefined if it has to be read first. */
  #current: Lease | undefined;
  #wrote = false;

  constructor(options: LeaderElectorOptions) {
    this.#options = options;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2000;
    if (!(this.#retryPeriodMs < this.#renewDeadlineMs && this.#renewDeadlineMs < this.#leaseDurationMs))
      throw new RangeError('A Lease needs retryPeriod < renewDeadline < leaseDuration.');
    options.metrics?.leader.set({ name: options.name }, 0);
  }

  /**
   * Whether this process may act as the leader at this very moment. Cheap; ask it in the tick in which bytes leave. Where the two
   * clocks disagree about the time since the last renewal, the machine slept or the wall clock was set: not held until the next.
   */
  isHeld(): boolean {
    if (!this.#renewed) return false;
    const { clock } = this.#options;
    const wall = clock.now() - this.#renewed.wall;
    const monotonic = clock.monotonic() - this.#renewed.monotonic;
    return Math.max(wall, monotonic) < this.#renewDeadlineMs && Math.abs(wall - monotonic) < CLOCK_SKEW_MS;
  }

  /** Resolves once this process leads; rejects with the signal's reason. */
  whenLeading(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (this.isHeld()) return resolve();
      const onLeading = (): void => {
        this.#waiters.delete(onLeading);
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiters.delete(onLeading);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      return this.#waiters.add(onLeading);
    });
  }

  /**
   * Waits for leadership and keeps it. Resolves when it is lost or when `signal` aborts; in the latter case `isHeld` turns false
   * first and the Lease is given back, so abort only after the work has stopped.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    try {
      if (!(await this.#acquire(signal))) return;
      log.info('Leading');
      this.#options.metrics?.leader.set({ name: this.#options.name }, 1);
      for (const wake of this.#waiters) wake();
      await this.#keep(signal);
    } finally {
      this.#renewed = undefined;
      this.#options.metrics?.leader.set({ name: this.#options.name }, 0);
      if (signal.aborted) await this.#release();
      else log.error('Leadership lost');
      this.#current = undefined;
    }
  }

  /** Tries until the Lease is ours: true, or until `signal` aborts: false. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { log, random = Math.random } = this.#options;
    while (!signal.aborted) {
      try {
        if ((await this.#attempt(signal)) === 'held') return true;
      } catch (thrown) {
        if (signal.aborted) break;
        log.warn({ error: asError(thrown) }, 'Could not acquire the Lease');
      }
      await this.#pause(this.#retryPeriodMs * (1 + random() / 2), signal);
    }
    return false;
  }

  /** Renews until someone else holds the Lease, the deadline passes on the monotonic clock, or `signal` aborts. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    for (;;) {
      await this.#pause(this.#retryPeriodMs, signal);
      const left = (this.#renewed?.monotonic ?? -Infinity) + this.#renewDeadlineMs - clock.monotonic();
      if (signal.aborted || left <= 0) return;
      const limit = deadline(clock, left, () => new LeaseTimeoutError(), signal);
      try {
        if ((await this.#attempt(limit.signal)) === 'taken') return;
      } catch (thrown) {
        if (signal.aborted) return;
        log.warn({ error: asError(thrown) }, 'Could not renew the Lease');
      } finally {
        limit.clear();
      }
    }
  }

  /** One try. After a failure the Lease is read anew, since a lost reply may stand for a done write. */
  async #attempt(signal: AbortSignal): Promise<Attempt> {
    const known = this.#current;
    this.#current = undefined;
    if (known) {
      try {
        return await this.#write(known, signal);
      } catch (thrown) {
        if (!isConflict(thrown)) throw thrown;
      }
    }
    const lease = await this.#read(signal);
    if (this.#othersHold()) {
      this.#renewed = undefined;
      return 'taken';
    }
    return this.#write(lease, signal);
  }

  async #read(signal: AbortSignal | undefined): Promise<Lease | undefined> {
    const { client, namespace, name } = this.#options;
    const lease = await this.#within(signal, (limit) =>
      client.find(leases, { namespace, name }, { signal: limit }),
    );
    this.#observe(lease);
    return lease;
  }

  /** Writes us as the holder, on top of the Lease as it was read: the API server refuses if it changed since. */
  async #write(lease: Lease | undefined, signal: AbortSignal): Promise<Attempt> {
    const { client, clock, namespace, name } = this.#options;
    const started: Instant = { wall: clock.now(), monotonic: clock.monotonic() };
    this.#wrote = true;
    const spec = this.#claim(lease?.spec);
    const written = await this.#within(signal, (limit) =>
      lease
        ? client.update(leases, { ...lease, spec }, { signal: limit })
        : client.create(
            leases,
            { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name }, spec },
            { signal: limit },
          ),
    );
    this.#observe(written);
    this.#current = written;
    this.#renewed = started;
    return 'held';
  }

  #claim(old: LeaseSpec | undefined): LeaseSpec {
    const { clock, identity } = this.#options;
    const now = microTime(clock.now());
    const ours = old?.holderIdentity === identity;
    return {
      ...old,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
      acquireTime: (ours ? old.acquireTime : undefined) ?? now,
      renewTime: now,
      leaseTransitions: old ? (old.leaseTransitions ?? 0) + (ours ? 0 : 1) : 0,
    };
  }

  /** Starts the count anew if the Lease changed. One that vanished is honoured as if it had just been renewed. */
  #observe(lease: Lease | undefined): void {
    const version = lease ? `${lease.metadata.uid ?? ''}/${lease.metadata.resourceVersion ?? ''}` : '';
    if (this.#seen?.version === version) return;
    const durationMs = Math.max((lease?.spec?.leaseDurationSeconds ?? 0) * 1000, this.#leaseDurationMs);
    const holder = lease ? (lease.spec?.holderIdentity ?? '') : (this.#seen?.holder ?? '');
    this.#seen = { version, holder, durationMs, at: this.#options.clock.monotonic() };
  }

  #othersHold(): boolean {
    const { clock, identity } = this.#options;
    const seen = this.#seen;
    if (!seen || seen.holder === '' || seen.holder === identity) return false;
    return clock.monotonic() < seen.at + seen.durationMs;
  }

  /** Gives the Lease back, so that the next one need not wait. `isHeld` is false by now. */
  async #release(): Promise<void> {
    if (!this.#wrote) return;
    const { client, clock, log, identity } = this.#options;
    try {
      const lease = this.#current ?? (await this.#read(undefined));
      if (lease?.spec?.holderIdentity !== identity) return;
      const now = microTime(clock.now());
      const { holderIdentity: _, ...rest } = lease.spec;
      const spec: LeaseSpec = { ...rest, leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
      await this.#within(undefined, (limit) => client.update(leases, { ...lease, spec }, { signal: limit }));
      log.info('Lease released');
    } catch (thrown) {
      log.warn({ error: asError(thrown) }, 'Could not release the Lease');
    }
  }

  /** One request, given up after its share of the deadline even if the client does not heed the signal. */
  #within<T>(signal: AbortSignal | undefined, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const perRequest = Math.max(1000, this.#renewDeadlineMs / 2);
    return within(this.#options.clock, perRequest, () => new LeaseTimeoutError(), send, signal);
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.clock.sleep(ms, signal);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }
}

/** `metav1.MicroTime`. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
