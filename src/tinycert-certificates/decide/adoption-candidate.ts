import { MAX_CLOCK_SKEW_MS } from '../../issuance/clock-skew.ts';
import type { Inputs } from '../context/inputs.ts';
import type { Plan } from './types.ts';

/** Plans that rely on the status. If its seal is broken, the Secret has to prove it first. */
const needsProof: ReadonlySet<Plan['do']> = new Set([
  'issue',
  'lookForLoss',
  'recover',
  'republish',
  'syncSecret',
  'updateStatus',
]);

/** Blockers that end if the Secret proves a certificate. */
const PROVED_BY_SECRET: ReadonlySet<string> = new Set(['SealBroken', 'UnclaimedCertificates']);

/**
 * Whether a plan is worth a proof. A resource that needs nothing is left alone, unless the CA no longer lists its certificate:
 * while nobody knows whose successor to look for, every later certificate of its common name counts as claimed.
 */
function reliesOnStatus({ observed }: Inputs, plan: Plan): boolean {
  if (plan.do === 'nothing') return plan.wakeBy === undefined && observed?.to === 'unlisted';
  return needsProof.has(plan.do) || (plan.do === 'report' && PROVED_BY_SECRET.has(plan.why.reason));
}

/**
 * Whether the resource's own Secret should prove its certificate first: its status has no valid seal, as a new resource's has not, and
 * the Secret is whole. A resource without a certificate adopts only a valid one.
 */
export function mayProve(inputs: Inputs, plan: Plan): boolean {
  const { certificate, secret, sealed, now, hasJournal } = inputs;
  if (sealed !== false || !hasJournal || !reliesOnStatus(inputs, plan)) return false;
  // The content of an unchanged Secret has not been read; adoption reads it.
  if (secret.state === 'unchanged') return certificate.status?.certificateId !== undefined;
  if (secret.state !== 'changed' || !secret.content) return false;
  if (certificate.status?.certificateId !== undefined) return true;
  const { leaf } = secret.content;
  return leaf.notBefore <= now + MAX_CLOCK_SKEW_MS && leaf.notAfter > now;
}
