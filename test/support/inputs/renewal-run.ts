import type { CertificateSpec } from '../../../src/api/tinycert/certificate-spec.ts';
import type { CertificateStatus } from '../../../src/api/tinycert/certificate-status.ts';
import { MAX_CLOCK_SKEW_MS } from '../../../src/issuance/clock-skew.ts';
import { dueAt, nextReconcileAt } from '../../../src/issuance/renewal/plan.ts';
import { type WantedCondition, rfc3339, withConditions } from '../../../src/issuance/status/conditions.ts';
import type { OpenAttempt } from '../../../src/issuance/tinycert/attempt.ts';
import { type ReconcileResult, runController } from '../../../src/kube/controller/controller.ts';
import { WorkQueue } from '../../../src/kube/controller/queue.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { createMetrics } from '../../../src/metrics/registry.ts';
import type { Inputs } from '../../../src/tinycert-certificates/context/inputs.ts';
import { decide } from '../../../src/tinycert-certificates/decide/plan.ts';
import { failedConditions, settledCondition } from '../../../src/tinycert-certificates/decide/readiness.ts';
import { inputs, issued, openAttempt, ref } from './inputs.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** A certificate that was bought. */
export interface Purchase {
  key: string;
  /** Milliseconds since the run began, by the CA's clock. */
  at: number;
}

/**
 * Certificates in virtual time, with the real queue, controller and decisions, a minimal substitute for `act`, and a CA whose
 * clock is always right.
 */
export class RenewalRun {
  readonly clock: VirtualClock;
  readonly queue: WorkQueue;
  readonly purchases: Purchase[] = [];
  /** How often each certificate was reconciled. */
  readonly looks = new Map<string, number>();
  /** What the CA does instead of issuing. */
  trouble: 'none' | 'refuses' = 'none';
  /** Waits for a turn before a purchase and returns what ends it; undefined if the turn comes later. */
  turn: (key: string, urgency: number) => Promise<(() => void) | undefined> = async () => () => undefined;
  /** How long the CA takes. */
  latency = 0;
  readonly #start: number;
  readonly #lifetime: number;
  /** The inputs that all certificates share, since they have the same spec. */
  readonly #inputsOfAll: Inputs;
  readonly #statuses = new Map<string, CertificateStatus>();
  readonly #bought = new Map<string, CertificateStatus>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #slept = 0;
  #lastId = 0;

  constructor(options: { lifetime: number; spec?: Partial<CertificateSpec>; startsAt?: string }) {
    this.clock = new VirtualClock(options.startsAt);
    this.queue = new WorkQueue({ clock: this.clock, name: 'certificate' });
    this.#start = this.clock.now();
    this.#lifetime = options.lifetime;
    this.#inputsOfAll = inputs(options.spec ? { spec: options.spec } : {});
  }

  /** Milliseconds since the run began, by the CA's clock. */
  get elapsed(): number {
    return this.clock.monotonic() + this.#slept;
  }

  /** The machine sleeps: the wall clock continues, the monotonic one and all timers stand still. */
  sleep(ms: number): void {
    this.clock.jump(ms);
    this.#slept += ms;
  }

  /** Adds certificates issued at this moment and starts to reconcile them. */
  begin(keys: readonly string[], concurrency = 4): void {
    for (const key of keys) {
      this.#statuses.set(key, this.#issue());
      this.queue.add(key);
    }
    this.#running = runController(
      {
        name: 'certificate',
        queue: this.queue,
        concurrency,
        reconcile: (key) => this.#reconcile(key),
        clock: this.clock,
        log: silentLog,
        metrics: createMetrics({ process: false }).controller,
      },
      this.#stop.signal,
    );
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  status(key: string): CertificateStatus {
    return this.#statuses.get(key) ?? {};
  }

  async #reconcile(key: string): Promise<ReconcileResult> {
    this.looks.set(key, (this.looks.get(key) ?? 0) + 1);
    const seen = this.#inputs(key);
    const plan = decide(seen);
    if (plan.do === 'nothing') return at(plan.requeueAt);
    if (plan.do === 'report') {
      this.#write(key, {}, plan.conditions);
      return at(plan.requeueAt);
    }
    if (plan.do === 'updateStatus') {
      const due = dueAt(seen);
      const { renewalTime: _, ...rest } = seen.certificate.status ?? {};
      this.#statuses.set(key, { ...rest, ...(due === undefined ? {} : { renewalTime: rfc3339(due) }) });
      this.#write(key, {}, [settledCondition(seen)], ['Issuing']);
      return at(nextReconcileAt(seen));
    }
    if (plan.do === 'resume') return this.#conclude(key);
    if (plan.do !== 'issue') throw new Error(`Nothing here leads to ${plan.do}.`);
    const done = await this.turn(key, Date.parse(seen.certificate.status?.notAfter ?? ''));
    if (!done) return {};
    try {
      if (this.latency > 0) await this.clock.sleep(this.latency);
      return this.#buy(key, seen);
    } finally {
      done();
    }
  }

  #inputs(key: string): Inputs {
    const status = this.status(key);
    const { certificate } = this.#inputsOfAll;
    const metadata = { ...certificate.metadata, name: key, uid: `uid-${key}` };
    return {
      ...this.#inputsOfAll,
      certificate: { ...certificate, metadata, status },
      now: this.clock.now(),
      monotonic: this.clock.monotonic(),
      attempt: this.#attempt(key),
    };
  }

  /** The attempt that bought what is not published yet. */
  #attempt(key: string): OpenAttempt | undefined {
    const { certificateId } = this.#bought.get(key) ?? {};
    if (certificateId === undefined) return undefined;
    const revision = (this.status(key).revision ?? 0) + 1;
    return {
      ...openAttempt,
      attempt: { ...openAttempt.attempt, revision },
      progress: { is: 'bought', bought: ref(certificateId) },
    };
  }

  #buy(key: string, seen: Inputs): ReconcileResult {
    this.purchases.push({ key, at: this.elapsed });
    if (this.trouble === 'refuses') {
      const failedAttempts = (this.status(key).failedAttempts ?? 0) + 1;
      const now = this.clock.now();
      const why = { reason: 'Refused', message: 'no' };
      const { generation = 1 } = seen.certificate.metadata;
      const lastFailure = { ...why, observedGeneration: generation };
      const times = { lastFailureTime: rfc3339(now), nextAttemptTime: rfc3339(now + 60_000) };
      this.#write(key, { failedAttempts, lastFailure, ...times }, failedConditions(seen, why));
      return { requeueAfterMs: 60_000 };
    }
    const bought = this.#issue();
    this.#bought.set(key, bought);
    return this.#conclude(key);
  }

  /** The status, if its dates are plausible by this clock; otherwise the operator tries again and buys nothing. */
  #conclude(key: string): ReconcileResult {
    const bought = this.#bought.get(key);
    const now = this.clock.now();
    const { notBefore = '', notAfter = '' } = bought ?? {};
    if (Date.parse(notAfter) <= now || Date.parse(notBefore) > now + MAX_CLOCK_SKEW_MS)
      return { requeueAfterMs: 60_000 };
    const {
      failedAttempts: _,
      lastFailureTime: __,
      lastFailure: ___,
      nextAttemptTime: ____,
      ...rest
    } = this.status(key);
    this.#statuses.set(key, { ...rest, ...bought });
    this.#bought.delete(key);
    const due = dueAt(this.#inputs(key));
    this.#write(key, due === undefined ? {} : { renewalTime: rfc3339(due) }, undefined, ['Issuing']);
    return at(nextReconcileAt(this.#inputs(key)));
  }

  /** The status of a certificate issued by the CA's clock. */
  #issue(): CertificateStatus {
    const notBefore = this.#start + this.elapsed;
    this.#lastId += 1;
    const { renewalTime: _, ...rest } = issued;
    return {
      ...rest,
      certificateId: this.#lastId,
      notBefore: rfc3339(notBefore),
      notAfter: rfc3339(notBefore + this.#lifetime),
      attemptTime: new Date(this.clock.now()).toISOString(),
    };
  }

  #write(
    key: string,
    change: CertificateStatus,
    conditions: WantedCondition[] = [],
    removed: string[] = [],
  ): void {
    const status = this.status(key);
    const options = { now: this.clock.now(), generation: 1, removed };
    this.#statuses.set(key, {
      ...status,
      ...change,
      conditions: withConditions(status.conditions, conditions, options),
    });
  }
}

function at(requeueAt: number | undefined): ReconcileResult {
  return requeueAt === undefined ? {} : { requeueAt };
}
