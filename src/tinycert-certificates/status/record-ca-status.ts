import { dueAt } from '../../issuance/renewal/plan.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { DECIDE_AGAIN_MS, type Task } from '../context/work.ts';
import { heldOrRevoked } from '../decide/desired-status.ts';
import { caStatusConditions } from '../decide/readiness.ts';
import type { CaStatus } from '../decide/types.ts';
import { record } from './record.ts';

/**
 * Records the status that a certificate has at the CA, and what that means for Ready, in one write. An event reports a
 * certificate that became unusable.
 */
export async function recordCaStatus(
  { deps, inputs, signal, log }: Task,
  to: CaStatus,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const status = { ...certificate.status, certificateStatus: to };
  const changed = { ...inputs, certificate: { ...certificate, status } };
  const due = dueAt(changed);
  await record(deps, {
    certificate,
    change: { certificateStatus: to, renewalTime: due === undefined ? null : rfc3339(due) },
    conditions: caStatusConditions(changed),
    signal,
  });
  log.info(
    { certificateId: status.certificateId, status: to },
    'The status of a certificate changed at the CA',
  );
  const unusable = heldOrRevoked(changed.certificate);
  if (unusable) deps.warn(certificate, unusable.reason, unusable.message);
  return { requeueAfterMs: DECIDE_AGAIN_MS };
}
