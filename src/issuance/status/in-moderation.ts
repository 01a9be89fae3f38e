import type { ReconcileResult } from '../../kube/controller/controller.ts';
import type { WantedCondition } from './conditions.ts';
import type { Repairs } from './rate-limit.ts';
import type { CertificateResource } from '../certificate-kind.ts';
import type { Reason } from '../../lib/reason.ts';
import type { StatusWriter } from './writer.ts';
import type { Warn } from './warn.ts';

/** What is done at once, but not as fast as somebody else undoes it. */

interface Tellers<T extends CertificateResource> {
  statuses: StatusWriter<T>;
  warn: Warn;
  /** How often the same was said of a resource lately. */
  reports: Repairs;
}

/**
 * Says what is in the way in the conditions and, unless it `isSaidElsewhere`, by an event. Somebody who undoes it at once, as
 * another operator without election would, is not kept up with.
 */
export async function sayObstacle<T extends CertificateResource>(
  { statuses, warn, reports }: Tellers<T>,
  certificate: T,
  why: Reason & { isSaidElsewhere: boolean },
  conditions: readonly WantedCondition[],
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { uid, generation } = certificate.metadata;
  const what = `${uid} ${generation} ${why.reason}`;
  const requeueAfterMs = reports.waits(what);
  if (requeueAfterMs > 0) return { requeueAfterMs };
  const written = await statuses.writeNews({ certificate, conditions, signal });
  if (written === certificate) return {};
  reports.note(what);
  if (!why.isSaidElsewhere) warn(certificate, why.reason, why.message);
  return {};
}

/** Makes a repair, unless there were many of this Secret lately: somebody else keeps changing it, and is told. */
export async function repair(
  { repairs, warn }: { repairs: Repairs; warn: Warn },
  certificate: CertificateResource,
  make: () => Promise<ReconcileResult>,
): Promise<ReconcileResult> {
  const key = certificate.metadata.uid ?? '';
  const requeueAfterMs = repairs.waits(key);
  if (requeueAfterMs > 0) return { requeueAfterMs };
  // A try that failed is no repair, and has its own wait.
  if (certificate.status?.failedAttempts === undefined && repairs.note(key)) {
    const message = `The Secret ${certificate.spec.secretName} is changed again and again by somebody else: it is put right with longer and longer pauses. See its managedFields for who writes it.`;
    warn(certificate, 'SecretContested', message);
  }
  return make();
}
