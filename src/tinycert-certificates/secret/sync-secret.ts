import { afterStored } from '../../issuance/decide/after-stored.ts';
import type { Stored } from '../../issuance/secret/kept.ts';
import { certificateRef } from '../../api/tinycert/identity.ts';
import { upToDateStatus } from '../../issuance/decide/up-to-date.ts';
import { nextReconcileAt } from '../../issuance/renewal/plan.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import type { Inputs } from '../context/inputs.ts';
import { type Task, withInputs } from '../context/work.ts';
import { settledCondition } from '../decide/readiness.ts';
import { record } from '../status/record.ts';
import { isFromAuthority, syncSecret } from './proven-id.ts';

/** Brings the status of a certificate that needs nothing up to date. */
export async function updateStatus(
  { deps, inputs, signal }: Pick<Task, 'deps' | 'inputs' | 'signal'>,
  stored?: Stored,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const { certificateStatus, notAfter } = certificate.status ?? {};
  const hasExpired = certificateStatus === 'good' && Date.parse(notAfter ?? '') <= inputs.now;
  const { change, conditions, removed } = upToDateStatus(inputs, settledCondition(inputs));
  const altered = afterStored(deps, inputs, stored);
  await record(deps, {
    certificate,
    change: { ...change, ...(hasExpired ? { certificateStatus: 'expired' } : {}), ...altered.change },
    conditions: [...conditions, ...altered.conditions],
    removed: altered.conditions.length > 0 ? [] : removed,
    signal,
  });
  return { ...altered.result, requeueAt: nextReconcileAt(inputs) };
}

/** Writes what a Secret lacks whose content is the present certificate, and then the status. */
export async function repairSecret(task: Task): Promise<ReconcileResult> {
  const { certificate, secret } = task.inputs;
  const held = certificateRef(certificate.status);
  if (secret.state !== 'changed' || !held) return {};
  const stored = await syncSecret(task, secret, held);
  const { metadata } = stored;
  return updateStatus(
    withInputs(task, { secret: { ...secret, metadata, hasOutputs: true, hasMetadata: true } }),
    stored,
  );
}

/**
 * Whether the authority itself signed the certificate in a Secret that changed: a serial number can be copied. Undefined
 * while no issuer is ready to check it with; a ready issuer wakes the certificate.
 */
export async function isGenuine({
  secret,
  issuer,
}: Pick<Inputs, 'secret' | 'issuer'>): Promise<boolean | undefined> {
  if (secret.state !== 'changed' || !secret.content) return true;
  return issuer?.ready ? isFromAuthority(secret.content, issuer.issuer) : undefined;
}
