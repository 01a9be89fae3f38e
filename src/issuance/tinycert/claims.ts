import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { Attempt, CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { CertificateSummary } from '../../tinycert/index.ts';
import { normalCommonName } from '../../x509/names.ts';
import { MAX_CLOCK_SKEW_MS } from '../clock-skew.ts';

/** The maximum in the schema. */
const MAX_FORMER = 20;

/** Whether a line of the CA's list can be an attempt's purchase, by common name. A revoked certificate never is. */
export function isAlike(attempt: Pick<Attempt, 'commonName'>, entry: CertificateSummary): boolean {
  return entry.status !== 'revoked' && hasName(attempt, entry);
}

/** Whether a line of the CA's list has the common name of an attempt. */
export function hasName(
  { commonName }: Pick<Attempt, 'commonName'>,
  entry: Pick<CertificateSummary, 'commonName'>,
): boolean {
  return normalCommonName(entry.commonName) === commonName;
}

/**
 * Whether a certificate that begins at `notBefore` can come from an attempt (`windowStart`, `windowEnd`). One that was bought
 * before the attempt, or long after its request was lost, does not.
 */
export function isFromWindow({ since, until, startTime }: Attempt, notBefore: number): boolean {
  const end = until === undefined ? Date.parse(startTime) + MAX_CLOCK_SKEW_MS : Date.parse(until);
  return notBefore >= Date.parse(since) && notBefore <= end;
}

/**
 * The ids that a resource has or is getting: its certificate, and what its last attempt bought. With `authorityId`, only
 * those of this authority, since every endpoint counts ids from one; an id whose authority is unknown is included.
 */
export function currentClaimsOf(status: CertificateStatus | undefined, authorityId?: number): number[] {
  const { certificateId, attempt } = status ?? {};
  const isOfAuthority = (of: number | undefined): boolean =>
    authorityId === undefined || of === undefined || of === authorityId;
  return [
    isOfAuthority(status?.authorityId) ? certificateId : undefined,
    isOfAuthority(attempt?.authorityId) ? attempt?.certificateId : undefined,
  ].filter((id) => id !== undefined);
}

/**
 * All ids that a resource claims (`skipClaimed`): the current ones, its former ones and those it has yet to revoke. Status
 * names no authority for the latter two, so `authorityId` does not restrict them.
 */
export function claimsOf(status: CertificateStatus | undefined, authorityId?: number): number[] {
  const { formerCertificateIds = [], pendingRevocations = [] } = status ?? {};
  return [
    ...currentClaimsOf(status, authorityId),
    ...formerCertificateIds,
    ...pendingRevocations.map(({ certificateId }) => certificateId),
  ];
}

/** Whether any of `others`, apart from the resource itself, claims an id. */
export function isClaimedByOther(
  { metadata: { uid } }: Pick<TinyCertCertificate, 'metadata'>,
  id: number,
  others: Iterable<Pick<TinyCertCertificate, 'metadata' | 'status'>>,
): boolean {
  for (const { metadata, status } of others)
    if (metadata.uid !== uid && claimsOf(status).includes(id)) return true;
  return false;
}

/** The former certificates of a resource after it releases `ids`: the newest, and those dropped for want of room. */
export function withFormer(
  { formerCertificateIds = [] }: Pick<CertificateStatus, 'formerCertificateIds'>,
  ...ids: readonly number[]
): { kept: number[]; dropped: number[] } {
  const all = [...new Set([...formerCertificateIds, ...ids])].sort((a, b) => a - b);
  return { kept: all.slice(-MAX_FORMER), dropped: all.slice(0, -MAX_FORMER) };
}
