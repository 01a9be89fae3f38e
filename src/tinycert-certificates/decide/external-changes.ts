import type { Inputs } from '../context/inputs.ts';
import type { Need } from './types.ts';

/** What the CA's list reports of the certificate and its status does not yet. */
export function statusChangedAtCa({
  certificate: { status },
  observed,
  sealed,
  specHash,
}: Inputs): Need | undefined {
  // The certificate's own dates show that it expired, and the renewal that is due then comes first.
  if (!observed || observed.to === 'expired') return undefined;
  const id = status?.certificateId;
  if (observed.to !== 'unlisted') {
    return {
      remedy: 'recordCaStatus',
      to: observed.to,
      reason: 'StatusChanged',
      message: `Certificate ${id} is ${observed.to} at TinyCert.`,
    };
  }
  // A status with a broken seal does not prove whose key to follow, and what is replaced anyway is not followed.
  if (sealed !== true || status?.specHash !== specHash) return undefined;
  return {
    remedy: 'adoptReissued',
    candidates: observed.candidates,
    reason: 'Reissued',
    message: `TinyCert no longer lists certificate ${id}; somebody may have reissued it, and the operator looks for the new one.`,
  };
}

/** A certificate that somebody revoked at TinyCert is replaced if the spec asks for it. Its key may be known, so it changes. */
export function revokedExternally({ certificate: { spec, status } }: Inputs): Need | undefined {
  const { certificateStatus, observedDesiredStatus, certificateId } = status ?? {};
  if (certificateStatus !== 'revoked' || observedDesiredStatus === 'Revoked') return undefined;
  if (spec.revocation?.onExternalRevocation !== 'Replace') return undefined;
  return {
    remedy: 'issue',
    reason: 'Revoked',
    message: `Certificate ${certificateId} was revoked at TinyCert, so another one is issued.`,
  };
}
