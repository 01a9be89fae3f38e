import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { Blocker } from '../../issuance/decide/inputs.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';
import type { Need } from './types.ts';

type Resource = Pick<TinyCertCertificate, 'spec' | 'status'>;

/**
 * While the spec wants its certificate held or revoked, none is bought for it, and a revoked one is not repaired. Recovery
 * still finds what an open attempt bought.
 */
export function desiredStatusForbids(
  { certificate, attempt }: Inputs,
  { remedy }: Need,
): Blocker | undefined {
  const { desiredStatus } = certificate.spec;
  if (!wantsHoldOrRevoked(certificate)) return undefined;
  const isRecovered = remedy === 'recover' && attempt?.progress.is === 'fruitless';
  const isBuying = remedy === 'issue' || remedy === 'renew' || isRecovered;
  const isRepair = remedy === 'republish' || remedy === 'syncSecret';
  if (!isBuying && !(isRepair && desiredStatus === 'Revoked')) return undefined;
  return {
    reason: desiredStatus === 'Hold' ? 'OnHold' : 'Revoked',
    message: `spec.desiredStatus is ${desiredStatus}, so no certificate is issued: set it to Good, or remove it.`,
  };
}

/** Whether the spec wants its certificate held or revoked. */
export function wantsHoldOrRevoked({ spec: { desiredStatus } }: Pick<TinyCertCertificate, 'spec'>): boolean {
  return desiredStatus === 'Hold' || desiredStatus === 'Revoked';
}

/** Why an unexpired certificate is unusable: it is on hold or revoked at the CA. */
export function heldOrRevoked({ status }: Resource): Reason | undefined {
  const { certificateStatus, certificateId } = status ?? {};
  if (certificateStatus === 'hold') {
    return {
      reason: 'OnHold',
      message: `Certificate ${certificateId} is on hold at TinyCert and is not renewed. Set desiredStatus to Good to lift the hold.`,
    };
  }
  if (certificateStatus === 'revoked') {
    return {
      reason: 'Revoked',
      message: `Certificate ${certificateId} is revoked at TinyCert and is not renewed. Set desiredStatus to Good to have another one issued.`,
    };
  }
  return undefined;
}

/** That the CA no longer lists a certificate which is still valid. */
export function notListed({ status }: Resource): Reason | undefined {
  if (status?.certificateStatus !== 'obsolete') return undefined;
  return {
    reason: 'NotListed',
    message: `The Secret holds a valid certificate for this spec. TinyCert no longer lists certificate ${status.certificateId}: it was reissued with another key or deleted there, and is replaced when its renewal is due.`,
  };
}

/** A revocation is final. A spec that wants a good certificate after it gets another one, with another key. */
export function revokedButWanted({ certificate: { spec, status } }: Inputs): Need | undefined {
  const { certificateStatus, observedDesiredStatus, certificateId } = status ?? {};
  if (spec.desiredStatus !== 'Good' || observedDesiredStatus === 'Good' || certificateStatus !== 'revoked')
    return undefined;
  return {
    remedy: 'issue',
    reason: 'Revoked',
    message: `Certificate ${certificateId} is revoked and desiredStatus is Good, so another one is issued.`,
  };
}
