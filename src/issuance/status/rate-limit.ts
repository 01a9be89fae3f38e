import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { type BackoffOptions, backoffDelay } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reason.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import type { WantedCondition } from './conditions.ts';
import type { Warn } from './events.ts';
import type { StatusWriter } from './writer.ts';

/** So many repairs in a row are made at once: somebody tries things out, or a tool applies an old version. */
const FREE = 3;
const PAUSE: BackoffOptions = { base: 5_000, max: 600_000, jitter: 0.1 };
/** A Secret that was left in peace for this long is repaired at once again. */
const FORGOTTEN_AFTER_MS = 1_800_000;
const MOST_KEPT = 10_000;

interface Row {
  count: number;
  /** Monotonic milliseconds. */
  nextAt: number;
  forgetAt: number;
}

/**
 * How often Secrets were repaired lately, or the same was said in a status. Another writer that keeps changing it would
 * otherwise have the operator write, and ask the CA, as fast as it does. All of it may be lost.
 */
export class RateLimiter {
  readonly #rows = new Map<string, Row>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds to wait before the next repair under this key; 0 if it may be made now. */
  waits(key: string): number {
    const now = this.#clock.monotonic();
    const row = this.#rows.get(key);
    return row && now < row.forgetAt ? Math.max(0, row.nextAt - now) : 0;
  }

  /** Notes a repair. True for the one after which pauses begin. */
  note(key: string): boolean {
    const now = this.#clock.monotonic();
    const before = this.#rows.get(key);
    const count = (before && now < before.forgetAt ? before.count : 0) + 1;
    this.#rows.delete(key);
    const pause = count < FREE ? 0 : backoffDelay(PAUSE, count - FREE + 1);
    this.#rows.set(key, { count, nextAt: now + pause, forgetAt: now + pause + FORGOTTEN_AFTER_MS });
    // The oldest goes first.
    for (const [oldest] of this.#rows) if (this.#rows.size > MOST_KEPT) this.#rows.delete(oldest);
    return count === FREE;
  }
}

/** What is done at once, but not as fast as somebody else undoes it. */

interface Tellers<T extends CertificateResource> {
  statuses: StatusWriter<T>;
  warn: Warn;
  /** How often the same was said of a resource lately. */
  reportLimiter: RateLimiter;
}

/**
 * Says what is in the way in the conditions and, unless it `isSaidElsewhere`, by an event. Somebody who undoes it at once, as
 * another operator without election would, is not kept up with.
 */
export async function reportBlocker<T extends CertificateResource>(
  { statuses, warn, reportLimiter }: Tellers<T>,
  certificate: T,
  why: Reason & { isSaidElsewhere: boolean },
  conditions: readonly WantedCondition[],
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { uid, generation } = certificate.metadata;
  const what = `${uid} ${generation} ${why.reason}`;
  const requeueAfterMs = reportLimiter.waits(what);
  if (requeueAfterMs > 0) return { requeueAfterMs };
  const written = await statuses.writeNews({ certificate, conditions, signal });
  if (written === certificate) return {};
  reportLimiter.note(what);
  if (!why.isSaidElsewhere) warn(certificate, why.reason, why.message);
  return {};
}

/** Makes a repair, unless there were many of this Secret lately: somebody else keeps changing it, and is told. */
export async function repair(
  { repairLimiter, warn }: { repairLimiter: RateLimiter; warn: Warn },
  certificate: CertificateResource,
  make: () => Promise<ReconcileResult>,
): Promise<ReconcileResult> {
  const key = certificate.metadata.uid ?? '';
  const requeueAfterMs = repairLimiter.waits(key);
  if (requeueAfterMs > 0) return { requeueAfterMs };
  // A try that failed is no repair, and has its own wait.
  if (certificate.status?.failedAttempts === undefined && repairLimiter.note(key)) {
    const message = `The Secret ${certificate.spec.secretName} is changed again and again by somebody else: it is put right with longer and longer pauses. See its managedFields for who writes it.`;
    warn(certificate, 'SecretContested', message);
  }
  return make();
}
