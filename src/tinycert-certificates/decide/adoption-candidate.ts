import { certificates } from '../../api/kinds.ts';
import { MAX_CLOCK_SKEW_MS } from '../../issuance/secret/check-material.ts';
import { CrdsOutdated } from '../../issuance/status/outdated-crds.ts';
import { keyOf, parseKey } from '../../kube/objects.ts';
import { canonicalJson } from '../../lib/hash.ts';
import type { Plan } from './plan.ts';
import type { Deps } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';

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

/**
 * Before the word of a status without its seal is dropped: that the API server still has it so. Older CRDs hide an attempt
 * from whoever reads under them, in a version that is the newest; once newer ones are back, a write would put another in its
 * place. Throws `CrdsOutdated` then: one version that reads in two ways is what the CRDs did.
 */
export async function assertRead(
  { kube, crds }: Pick<Deps, 'kube' | 'crds'>,
  { certificate, sealed }: Pick<Inputs, 'certificate' | 'sealed'>,
  signal: AbortSignal,
): Promise<void> {
  const { metadata, status } = certificate;
  if (sealed !== false || status?.seal === undefined) return;
  const live = await kube.get(certificates, parseKey(keyOf(certificate)), { signal });
  const isSame =
    live.metadata.uid === metadata.uid && live.metadata.resourceVersion === metadata.resourceVersion;
  if (!isSame || canonicalJson(live.status) === canonicalJson(status)) return;
  crds.doubt();
  throw new CrdsOutdated();
}

/** Ids that the certificate in the Secret may have, by what annotation and status say. */
export function claimedIdsOf({ certificate, secret }: Inputs): (number | undefined)[] {
  const held = secret.state === 'changed' ? secret.held : undefined;
  return [held?.claimedId, certificate.status?.certificateId];
}
