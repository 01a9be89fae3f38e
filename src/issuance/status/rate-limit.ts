import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reason.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import type { WantedCondition } from './conditions.ts';
import type { Warn } from './events.ts';
import type { StatusWriter } from './writer.ts';

/** How many actions in a row need no pause: a person may be experimenting, or a tool applies an old version. */
export const UNPACED_ACTIONS = 3;
/** The pauses between further actions. */
export const RATE_LIMIT_BACKOFF: BackoffOptions = { base: 5_000, max: 600_000, jitter: 0.1 };
/** After this long without an action, the next ones need no pause again. */
export const RATE_LIMIT_RESET_MS = 1_800_000;
const MAX_KEYS = 10_000;

interface Row {
  owner: string;
  count: number;
  /** Monotonic milliseconds. */
  nextAt: number;
  forgetAt: number;
}

/**
 * Slows down what something else keeps undoing: repairs of a Secret, and reports in a status. Otherwise the operator would
 * write, and call the CA, as fast as the other writer does. Losing this memory does no harm.
 */
export class RateLimiter {
  readonly #rows = new Map<string, Row>();
  /** The keys of the rows of each resource, by uid. */
  readonly #owned = new Map<string, Set<string>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until the next such action for the resource with this uid is allowed; 0 if it is allowed now. */
  delay(uid: string, action = ''): number {
    const now = this.#clock.monotonic();
    const row = this.#rows.get(keyOf(uid, action));
    return row && now < row.forgetAt ? Math.max(0, row.nextAt - now) : 0;
  }

  /** Counts an action. True for the one that the first pause follows. */
  note(uid: string, action = ''): boolean {
    const now = this.#clock.monotonic();
    const key = keyOf(uid, action);
    const before = this.#rows.get(key);
    const count = (before && now < before.forgetAt ? before.count : 0) + 1;
    this.#rows.delete(key);
    const pause = count < UNPACED_ACTIONS ? 0 : backoffDelay(RATE_LIMIT_BACKOFF, count - UNPACED_ACTIONS + 1);
    const forgetAt = now + pause + RATE_LIMIT_RESET_MS;
    this.#rows.set(key, { owner: uid, count, nextAt: now + pause, forgetAt });
    this.#owned.set(uid, (this.#owned.get(uid) ?? new Set()).add(key));
    // A map iterates in the order of insertion, so the least recent key goes first.
    for (const [oldest] of this.#rows) if (this.#rows.size > MAX_KEYS) this.#drop(oldest);
    return count === UNPACED_ACTIONS;
  }

  /** The resource with this uid is gone. */
  forget(uid: string): void {
    for (const key of this.#owned.get(uid) ?? []) this.#drop(key);
  }

  get size(): number {
    return this.#rows.size;
  }

  #drop(key: string): void {
    const { owner = '' } = this.#rows.get(key) ?? {};
    this.#rows.delete(key);
    const owned = this.#owned.get(owner);
    owned?.delete(key);
    if (owned?.size === 0) this.#owned.delete(owner);
  }
}

function keyOf(uid: string, action: string): string {
  return `${uid} ${action}`;
}

interface Reporting<T extends CertificateResource> {
  statuses: Pick<StatusWriter<T>, 'writeNews'>;
  warn: Warn;
  /** Counts the reports of one reason on one generation of a resource. */
  reportLimiter: RateLimiter;
}

/**
 * Reports a blocker in the conditions and, unless it `isReportedElsewhere`, by an event. What it `awaits` is noted in status, with
 * the fields of `change`. If
 * something keeps undoing the report, such as another operator without leader election, it comes less and less often.
 */
export async function reportBlocker<T extends CertificateResource>(
  { statuses, warn, reportLimiter }: Reporting<T>,
  certificate: T,
  why: Reason & {
    isReportedElsewhere: boolean;
    awaits?: string | undefined;
    change?: Readonly<Record<string, unknown>> | undefined;
  },
  conditions: readonly WantedCondition[],
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { uid = '', generation } = certificate.metadata;
  const action = `${generation} ${why.reason}`;
  const requeueAfterMs = reportLimiter.delay(uid, action);
  if (requeueAfterMs > 0) return { requeueAfterMs };
  const { awaits } = why;
  const change = { ...why.change, ...(awaits === undefined ? {} : { awaitedSecret: awaits }) };
  const written = await statuses.writeNews({ certificate, change, conditions, signal });
  if (written === certificate) return {};
  reportLimiter.note(uid, action);
  if (!why.isReportedElsewhere) warn(certificate, why.reason, why.message);
  return {};
}

/**
 * Counts that a Secret had to be repaired, or that a write of it met another one, as what something else keeps changing. Warns of
 * that once.
 */
export function noteContest(
  { repairLimiter, warn }: { repairLimiter: RateLimiter; warn: Warn },
  certificate: CertificateResource,
): void {
  if (!repairLimiter.note(certificate.metadata.uid ?? '')) return;
  const message = `Somebody else keeps changing the Secret ${certificate.spec.secretName}: the operator repairs it after longer and longer pauses. Its managedFields show who writes it.`;
  warn(certificate, 'SecretContested', message);
}

/** Writes a Secret by `make`, unless many recent writes show that something else keeps changing it. */
export async function paced(
  { repairLimiter }: { repairLimiter: RateLimiter },
  certificate: CertificateResource,
  make: () => Promise<ReconcileResult>,
): Promise<ReconcileResult> {
  const requeueAfterMs = repairLimiter.delay(certificate.metadata.uid ?? '');
  return requeueAfterMs > 0 ? { requeueAfterMs } : make();
}

/** Repairs a Secret by `make`, paced like that, and counts it. */
export function repair(
  limits: { repairLimiter: RateLimiter; warn: Warn },
  certificate: CertificateResource,
  make: () => Promise<ReconcileResult>,
): Promise<ReconcileResult> {
  return paced(limits, certificate, () => {
    // After a failure this is a retry, which has its own backoff, and not another repair.
    if (certificate.status?.failedAttempts === undefined) noteContest(limits, certificate);
    return make();
  });
}
