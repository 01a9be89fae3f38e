import { upToDateStatus } from '../../issuance/decide/up-to-date.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { settledCondition } from '../decide/plan.ts';
import type { Deps } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';
import { lookAgainAt } from '../../issuance/renewal/plan.ts';
import { isFromAuthority, keepMetadata } from './proven-id.ts';
import { record } from '../status/record.ts';

/** Status says how things stand, after a change that needs no certificate. */
export async function settle(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const { certificateStatus, notAfter } = certificate.status ?? {};
  const hasEnded = certificateStatus === 'good' && Date.parse(notAfter ?? '') <= inputs.now;
  const { change, ...said } = upToDateStatus(inputs, settledCondition(inputs));
  await record(deps, {
    certificate,
    change: { ...change, ...(hasEnded ? { certificateStatus: 'expired' } : {}) },
    ...said,
    signal,
  });
  return { requeueAt: lookAgainAt(inputs) };
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
