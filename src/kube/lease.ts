import { type Clock, deadline, type Instant, instant } from '../lib/clock.ts';
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

/** The part of the client that the elector needs. `find` returns undefined if the object does not exist. */
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
  /** Identifies this process, also among those on the same host: host name and a UUID. */
  identity: string;
  /** The annotation of the Lease for the number of the last leader that had `begun`. */
  begunAnnotation: string;
  /** How long other processes wait for a renewal, on their own clocks. Default: `LEASE_DURATION_MS`. */
  leaseDurationMs?: number;
  /** How long this process leads after the start of its last successful renewal. Default: `RENEW_DEADLINE_MS`. */
  renewDeadlineMs?: number;
  /** Pause between two attempts. Default: `RETRY_PERIOD_MS`. */
  retryPeriodMs?: number;
  metrics?: LeaseMetrics;
  /** Spreads the attempts of waiting processes. Default: `Math.random`. */
  random?: () => number;
}

/** How long other processes wait for a renewal before they take the Lease, in milliseconds; as in Kubernetes' own components. */
export const LEASE_DURATION_MS = 15_000;
/** How long a leader tries to renew before it steps down, in milliseconds; as in Kubernetes' own components. */
export const RENEW_DEADLINE_MS = 10_000;
/** Pause between two attempts to acquire or renew the Lease, in milliseconds; as in Kubernetes' own components. */
export const RETRY_PERIOD_MS = 2000;

/** A request about the Lease exceeded its time limit. */
export class LeaseTimeoutError extends AppError {
  constructor() {
    super('LeaseTimeout', 'The API server did not answer a request about the Lease in time.');
  }
}

/** What the Lease told when this process acquired it. */
export interface LeaseHistory {
  /** The number of this leader, counted by the Lease from 0. */
  leaders: number;
  /** The number of the leader before; undefined if there was no Lease. */
  leadersBefore: number | undefined;
  /** The number of the last leader that told of having `begun`; undefined if the Lease does not know one. */
  begunBefore: number | undefined;
  /** How long nobody had renewed it, in milliseconds of the two machines' wall clocks; undefined if that is unknown. */
  idleMs: number | undefined;
}

/** The Lease as it was when this process last saw it change. */
interface Observation {
  /** uid and resourceVersion; '' if the Lease does not exist. */
  version: string;
  holder: string;
  durationMs: number;
  /** Monotonic time of this process. */
  at: number;
}

type Attempt = 'held' | 'taken';

/** The two clocks may disagree by less than this, in milliseconds, about the time since the last renewal. */
const CLOCK_SKEW_MS = 1000;

/**
 * Leader election with a Lease: acquires it, renews it, and releases it at the end.
 *
 * Guarantee: `isHeld` is never true in two processes that use one Lease. This follows from `renewDeadline < leaseDuration`, which
 * each process counts on its own clock: the holder from before it sends a write, the others from after they see it. Clocks of
 * different machines are never compared.
 *
 * Caveats: if someone deletes the Lease, a process that never saw it may take it, up to one retry period before the holder notices.
 * If both clocks of a virtual machine stand still for the same time, only the conflict of its next write reveals it.
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
  /** The Lease after our own last write; undefined if it has to be read first. */
  #current: Lease | undefined;
  #wrote = false;
  /** What the Lease of the leader before told. */
  #before: Omit<LeaseHistory, 'leaders'> = {
    leadersBefore: undefined,
    begunBefore: undefined,
    idleMs: undefined,
  };
  #history: LeaseHistory | undefined;
  #hasBegun = false;

  constructor(options: LeaderElectorOptions) {
    this.#options = options;
    this.#leaseDurationMs = options.leaseDurationMs ?? LEASE_DURATION_MS;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? RENEW_DEADLINE_MS;
    this.#retryPeriodMs = options.retryPeriodMs ?? RETRY_PERIOD_MS;
    if (!(this.#retryPeriodMs < this.#renewDeadlineMs && this.#renewDeadlineMs < this.#leaseDurationMs))
      throw new RangeError('Expected retryPeriodMs < renewDeadlineMs < leaseDurationMs');
    options.metrics?.leader.set({ name: options.name }, 0);
  }

  /**
   * Whether this process may act as the leader at this moment. Cheap: call it in the same tick in which bytes leave. False until the
   * next renewal if the two clocks disagree about the time since the last one: the machine slept, or the wall clock was set.
   */
  isHeld(): boolean {
    if (!this.#renewed) return false;
    const { clock } = this.#options;
    const wall = clock.now() - this.#renewed.wall;
    const monotonic = clock.monotonic() - this.#renewed.monotonic;
    return Math.max(wall, monotonic) < this.#renewDeadlineMs && Math.abs(wall - monotonic) < CLOCK_SKEW_MS;
  }

  /** What the Lease told when this process acquired it; undefined before that. */
  get history(): LeaseHistory | undefined {
    return this.#history;
  }

  /** This leader has begun what the next one has to know of. The next renewal tells, which costs no write of its own. */
  begun(): void {
    this.#hasBegun = true;
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
   * Waits for leadership and keeps it. Resolves when it is lost or when `signal` aborts. After an abort, `isHeld` turns false and the
   * Lease is released, so abort only after the work has stopped.
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

  /** Retries until this process holds the Lease (true) or `signal` aborts (false). */
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

  /** Renews until another process holds the Lease, the deadline passes on the monotonic clock, or `signal` aborts. */
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

  /** One attempt. After a failure the next one reads the Lease first: the failed write may have succeeded without an answer. */
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

  /** Writes this process as the holder. The API server refuses it if the Lease has changed since it was read. */
  async #write(lease: Lease | undefined, signal: AbortSignal): Promise<Attempt> {
    const { client, clock, namespace, name } = this.#options;
    const started = instant(clock);
    this.#wrote = true;
    this.#remember(lease);
    const spec = this.#claim(lease?.spec);
    const metadata = this.#annotated(lease?.metadata ?? { namespace, name }, spec.leaseTransitions);
    const written = await this.#within(signal, (limit) =>
      lease
        ? client.update(leases, { ...lease, metadata, spec }, { signal: limit })
        : client.create(
            leases,
            { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec },
            { signal: limit },
          ),
    );
    this.#observe(written);
    this.#current = written;
    this.#history = { ...this.#before, leaders: spec.leaseTransitions };
    this.#renewed = started;
    return 'held';
  }

  #claim(old: LeaseSpec | undefined): LeaseSpec & { leaseTransitions: number } {
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

  #annotated(metadata: Lease['metadata'], leaders: number): Lease['metadata'] {
    if (!this.#hasBegun) return metadata;
    const { annotations } = metadata;
    return { ...metadata, annotations: { ...annotations, [this.#options.begunAnnotation]: String(leaders) } };
  }

  /** Notes what the Lease of another leader, or none, tells. Our own may come back from a write without an answer. */
  #remember(lease: Lease | undefined): void {
    const { clock, identity, begunAnnotation } = this.#options;
    const old = lease?.spec;
    if (this.#renewed || old?.holderIdentity === identity) return;
    const renewed = Date.parse(old?.renewTime ?? '');
    const begun = lease?.metadata.annotations?.[begunAnnotation] ?? '';
    this.#before = {
      leadersBefore: old && (old.leaseTransitions ?? 0),
      begunBefore: /^[0-9]{1,15}$/.test(begun) ? Number(begun) : undefined,
      idleMs: Number.isNaN(renewed) ? undefined : Math.max(0, clock.now() - renewed),
    };
  }

  /** Restarts the wait if the Lease has changed. A deleted Lease counts as just renewed. */
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

  /** Releases the Lease, so another process can take it at once. `isHeld` is already false. */
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

  /** One request, ended after half of the renew deadline (at least 1 s) even if the client ignores the signal. */
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

/** A time in the format of `metav1.MicroTime`. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
