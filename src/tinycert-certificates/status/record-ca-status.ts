import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import { observedConditions } from '../decide/plan.ts';
import type { Deps } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';
import { dueAt } from '../../issuance/renewal/plan.ts';
import { record } from './record.ts';
import { heldOrRevoked } from '../decide/desired-status.ts';

/** A status that was observed is written at once, and what follows from it is decided on then. */
const DECIDE_AGAIN_MS = 100;

/**
 * Writes the status that a certificate turned out to have at the CA, with what it means for Ready, in one write, and tells
 * whoever looks after the resource if it is worth less than before.
 */
export async function recordCaStatus(
  deps: Deps,
  inputs: Inputs,
  to: NonNullable<CertificateStatus['certificateStatus']>,
  { signal, log }: ReconcileContext,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const status = { ...certificate.status, certificateStatus: to };
  const observed = { ...inputs, certificate: { ...certificate, status } };
  const due = dueAt(observed);
  await record(deps, {
    certificate,
    change: { certificateStatus: to, renewalTime: due === undefined ? null : rfc3339(due) },
    conditions: observedConditions(observed),
    signal,
  });
  log.info(
    { certificateId: status.certificateId, status: to },
    'The status of a certificate changed at the CA',
  );
  const lost = heldOrRevoked(observed.certificate);
  if (lost) deps.warn(certificate, lost.reason, lost.message);
  return { requeueAfterMs: DECIDE_AGAIN_MS };
}
