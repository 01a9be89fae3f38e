import type { TinyCertCertificate } from '../../api/kinds.ts';
import { effectiveNames } from '../../api/tinycert/effective.ts';
import { type CertificateRef, certificateKey, isSameCertificate } from '../../api/tinycert/identity.ts';
import { floorOf, nameHash } from '../../issuance/tinycert/attempt.ts';
import { claimsOf } from '../../issuance/tinycert/claims.ts';
import { mayHaveBought } from '../../issuance/tinycert/inventory/census.ts';
import type { Facts } from '../../issuance/tinycert/inventory/facts.ts';
import type { Known, LossSign } from '../../issuance/tinycert/inventory/loss-signs.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { recordsOf, type TinyCertView } from '../../issuance/tinycert/records.ts';
import { attemptsOfOthers, type Found } from './attempts.ts';
import { BY_CERTIFICATE, type Deps } from './deps.ts';

type Looking = Pick<Deps, 'certificates' | 'lossSigns' | 'unclaimedWaitMs'>;

/** Whether the CA has what a resource may have lost with its status. Only its first purchase is ever held up by that, and none if the wait is 0. */
export function lossSignOf(
  deps: Looking,
  certificate: TinyCertCertificate,
  issuer: ReadyIssuer,
  view: TinyCertView | undefined,
  { attempt, unreadable }: Found,
): LossSign {
  const isFirst = claimsOf(certificate.status).length === 0 && attempt === undefined;
  if (!view || !isFirst || unreadable !== undefined || deps.unclaimedWaitMs === 0) return { is: 'none' };
  return deps.lossSigns.of(certificate, issuer, knownTo(deps, certificate, issuer, view));
}

/** What resources and the journal say of the certificates that a resource may have bought. */
export function knownTo(
  { certificates }: Pick<Looking, 'certificates'>,
  { metadata: { uid = '' }, spec }: TinyCertCertificate,
  { authority }: Pick<ReadyIssuer, 'authority'>,
  view: TinyCertView,
): Known {
  const name = nameHash(effectiveNames(spec).commonName);
  let onRecord: ReturnType<typeof recordsOf> | undefined;
  const isReleased = (certificate: CertificateRef, facts: Facts | undefined): boolean => {
    onRecord ??= recordsOf(view, authority);
    const { released, abandoned } = onRecord;
    if (released.some((each) => isSameCertificate(each, certificate))) return true;
    return (
      facts !== undefined &&
      abandoned.some(
        (each) =>
          each.nameHash === name && certificate.certificateId > each.afterId && mayHaveBought(each, facts),
      )
    );
  };
  const mayBeBought = ({ certificateId }: CertificateRef): boolean =>
    [...attemptsOfOthers(view, uid, authority)].some(
      (each) => each.nameHash === name && certificateId > floorOf(each),
    );
  return {
    lacksEntriesBefore: view.lacksEntriesBefore,
    isAccountedFor: (certificate, facts) =>
      certificates.byIndex(BY_CERTIFICATE, certificateKey(certificate)).length > 0 ||
      isReleased(certificate, facts) ||
      mayBeBought(certificate),
  };
}
