import type { Inputs } from '../context/inputs.ts';
import type { Need } from './needs.ts';

/** What the CA's list says of the certificate and its resource does not know yet (design 3.8). */
export function statusChangedAtCa({
  certificate: { status },
  observed,
  sealed,
  specHash,
}: Inputs): Need | undefined {
  // That it has ended its own dates tell, and what is due then goes first.
  if (!observed || observed.to === 'expired') return undefined;
  const id = status?.certificateId;
  if (observed.to !== 'unlisted') {
    return {
      remedy: 'observe',
      to: observed.to,
      reason: 'StatusChanged',
      message: `Certificate ${id} is ${observed.to} at TinyCert.`,
    };
  }
  // Whose key would be followed, a status without its seal does not tell; what is to be replaced anyway is not followed.
  if (sealed !== true || status?.specHash !== specHash) return undefined;
  return {
    remedy: 'follow',
    candidates: observed.candidates,
    reason: 'Reissued',
    message: `TinyCert no longer lists certificate ${id}; somebody may have reissued it, and the new one is looked for.`,
  };
}

/** What somebody revoked at TinyCert is replaced if the spec says so, with another key, since this one may be known. */
export function revokedExternally({ certificate: { spec, status } }: Inputs): Need | undefined {
  const { certificateStatus, observedDesiredStatus, certificateId } = status ?? {};
  if (certificateStatus !== 'revoked' || observedDesiredStatus === 'Revoked') return undefined;
  if (spec.revocation?.onExternalRevocation !== 'Replace') return undefined;
  return {
    remedy: 'issue',
    reason: 'Revoked',
    message: `Certificate ${certificateId} was revoked at TinyCert, so that another one is issued.`,
  };
}
