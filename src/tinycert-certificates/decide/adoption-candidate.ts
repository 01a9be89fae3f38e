import { MAX_CLOCK_SKEW_MS } from '../../issuance/clock-skew.ts';
import type { Inputs } from '../context/inputs.ts';
import type { Plan } from './plan.ts';

/** What is not done on the word of an unsealed status while the Secret may prove what it says. */
const needsProof: ReadonlySet<Plan['do']> = new Set(['issue', 'recover', 'republish', 'relabel', 'settle']);

/**
 * Whether to see first what the own Secret proves: for a status without its seal, as a brand-new one is, whose Secret is
 * there and whole. A resource without a certificate has an interest only in what is valid.
 */
export function mayProve(inputs: Inputs, plan: Plan): boolean {
  const { certificate, secret, sealed, now } = inputs;
  if (sealed !== false) return false;
  if (!needsProof.has(plan.do) && !(plan.do === 'report' && plan.why.reason === 'SealBroken')) return false;
  // An unchanged one is looked at before anything is proved by it.
  if (secret.state === 'unchanged') return certificate.status?.certificateId !== undefined;
  if (secret.state !== 'changed' || !secret.held) return false;
  if (certificate.status?.certificateId !== undefined) return true;
  const { leaf } = secret.held;
  return leaf.notBefore <= now + MAX_CLOCK_SKEW_MS && leaf.notAfter > now;
}
