import { WITHOUT_FAILURE } from '../issuance/after-failure.ts';
import { rfc3339 } from '../issuance/conditions.ts';
import type { ReconcileResult } from '../kube/controller.ts';
import { settledCondition } from './decide.ts';
import type { Deps } from './deps.ts';
import type { Inputs } from './inputs.ts';
import { dueAt, lookAgainAt } from '../issuance/renewal-plan.ts';
import { isFromAuthority, keepMetadata } from './possession.ts';
import { record } from './record.ts';
import { idleConditions } from '../issuance/obstacles.ts';

/** Status says how things stand, after a change that needs no certificate. */
export async function settle(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate, secret } = inputs;
  const seen = secret.state === 'unchanged' || secret.state === 'changed' ? secret.metadata : undefined;
  const due = dueAt(inputs);
  const { certificateStatus, notAfter } = certificate.status ?? {};
  const hasEnded = certificateStatus === 'good' && Date.parse(notAfter ?? '') <= inputs.now;
  await record(deps, {
    certificate,
    change: {
      ...(seen?.uid === undefined ? {} : { secretUID: seen.uid }),
      ...(seen?.resourceVersion === undefined ? {} : { secretResourceVersion: seen.resourceVersion }),
      renewalTime: due === undefined ? null : rfc3339(due),
      ...(hasEnded ? { certificateStatus: 'expired' } : {}),
      ...WITHOUT_FAILURE,
    },
    conditions: [settledCondition(inputs), ...idleConditions(certificate)],
    removed: certificate.spec.suspend ? [] : ['Issuing'],
    signal,
  });
  const requeueAt = lookAgainAt(inputs);
  return requeueAt === undefined ? {} : { requeueAt };
}

/** Puts labels and annotations back on a Secret whose content is sound. */
export async function relabel(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate, secret } = inputs;
  const { certificateId } = certificate.status ?? {};
  if (secret.state !== 'changed' || certificateId === undefined) return {};
  const metadata = await keepMetadata(deps, inputs, secret, certificateId, signal);
  return settle(deps, { ...inputs, secret: { ...secret, metadata } }, signal);
}

/**
 * Whether a Secret that changed, and holds what status names, holds it from the authority itself: serial numbers can be
 * copied. Undefined while there is no issuer to ask; it is looked at again when there is.
 */
export async function isGenuine({ secret, issuer }: Inputs): Promise<boolean | undefined> {
  if (secret.state !== 'changed' || !secret.held) return true;
  return issuer?.ready ? isFromAuthority(secret.held, issuer.issuer) : undefined;
}
