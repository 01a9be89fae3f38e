import type { Reason } from '../../lib/reason.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { Inputs } from '../context/inputs.ts';
import type { Blocker } from '../../issuance/decide/inputs.ts';
import type { Need } from './needs.ts';

type Resource = Pick<TinyCertCertificate, 'spec' | 'status'>;

/**
 * As long as the spec wants its certificate held or revoked, no other one is bought for it, and one that is revoked is not
 * repaired either. What an open attempt has bought is still found out.
 */
export function withheld({ certificate, attempt }: Inputs, { remedy }: Need): Blocker | undefined {
  const { desiredStatus } = certificate.spec;
  if (!wantsHoldOrRevoked(certificate)) return undefined;
  const isBuying =
    remedy === 'issue' || remedy === 'renew' || (remedy === 'recover' && attempt?.isFruitless === true);
  const isRepair = remedy === 'republish' || remedy === 'relabel';
  if (!isBuying && !(isRepair && desiredStatus === 'Revoked')) return undefined;
  return {
    reason: desiredStatus === 'Hold' ? 'OnHold' : 'Revoked',
    message: `spec.desiredStatus is ${desiredStatus}, so that no certificate is issued: set it to Good, or leave it out.`,
  };
}

/** Whether the spec wants its certificate held or revoked. */
export function wantsHoldOrRevoked({ spec: { desiredStatus } }: Pick<TinyCertCertificate, 'spec'>): boolean {
  return desiredStatus === 'Hold' || desiredStatus === 'Revoked';
}

/** Why a certificate is worth nothing although it has not expired: somebody holds or has revoked it. */
export function heldOrRevoked({ status }: Resource): Reason | undefined {
  const { certificateStatus, certificateId } = status ?? {};
  if (certificateStatus === 'hold') {
    return {
      reason: 'OnHold',
      message: `Certificate ${certificateId} is on hold at TinyCert and is not renewed. With desiredStatus Good it is made good again.`,
    };
  }
  if (certificateStatus === 'revoked') {
    return {
      reason: 'Revoked',
      message: `Certificate ${certificateId} is revoked at TinyCert and is not renewed. With desiredStatus Good another one is issued.`,
    };
  }
  return undefined;
}

/** What a certificate that is still valid lacks at the CA: nothing, as a rule. */
export function unlisted({ status }: Resource): Reason | undefined {
  if (status?.certificateStatus !== 'obsolete') return undefined;
  return {
    reason: 'NotListed',
    message: `The Secret holds a valid certificate for this spec. TinyCert no longer lists certificate ${status.certificateId}: it was reissued with another key or deleted there, and is replaced when it is due.`,
  };
}

/** Revocation is final, so that whoever asks for a good certificate after it gets another one, with another key. */
export function revokedButWanted({ certificate: { spec, status } }: Inputs): Need | undefined {
  const { certificateStatus, observedDesiredStatus, certificateId } = status ?? {};
  if (spec.desiredStatus !== 'Good' || observedDesiredStatus === 'Good' || certificateStatus !== 'revoked')
    return undefined;
  return {
    remedy: 'issue',
    reason: 'Revoked',
    message: `Certificate ${certificateId} is revoked and desiredStatus is Good, so that another one is issued.`,
  };
}
