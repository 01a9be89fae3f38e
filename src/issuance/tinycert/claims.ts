import type { Attempt, CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { CertificateSummary } from '../../tinycert/index.ts';
import { normalCommonName } from '../../x509/names.ts';
import { MAX_CLOCK_SKEW_MS } from '../clock-skew.ts';

/** As many as the schema has room for. */
const MAX_FORMER = 20;

/** Whether a line of the CA's list is of the common name that an attempt asked for. Revoked ones are nobody's any more. */
export function isAlike({ commonName }: Pick<Attempt, 'commonName'>, entry: CertificateSummary): boolean {
  return entry.status !== 'revoked' && normalCommonName(entry.commonName) === commonName;
}

/** The id above which lies what an attempt bought (`aboveAfterId`). */
export function floorOf({ operation, previousId, afterId }: Attempt): number {
  return operation === 'Reissue' ? (previousId ?? afterId) : afterId;
}

/**
 * Whether a certificate that begins at `notBefore` can come from an attempt (`windowStart`, `windowEnd`): what somebody
 * bought before it, or long after a request that was lost, is not taken for it.
 */
export function isFromWindow({ since, until, startTime }: Attempt, notBefore: number): boolean {
  const end = until === undefined ? Date.parse(startTime) + MAX_CLOCK_SKEW_MS : Date.parse(until);
  return notBefore >= Date.parse(since) && notBefore <= end;
}

/** All certificates that a resource claims (`skipClaimed`): the one it serves, one it bought, those it had before. */
export function claimsOf(status: CertificateStatus | undefined): number[] {
  const { certificateId, attempt, formerCertificateIds = [], pendingRevocations = [] } = status ?? {};
  const present = [certificateId, attempt?.certificateId].filter((id) => id !== undefined);
  return [...present, ...formerCertificateIds, ...pendingRevocations.map((each) => each.certificateId)];
}

/** The former certificates of a resource once it has given up another one: the newest, and what there is no room for. */
export function withFormer(
  { formerCertificateIds = [] }: Pick<CertificateStatus, 'formerCertificateIds'>,
  ...ids: readonly number[]
): { kept: number[]; dropped: number[] } {
  const all = [...new Set([...formerCertificateIds, ...ids])].sort((a, b) => a - b);
  return { kept: all.slice(-MAX_FORMER), dropped: all.slice(0, -MAX_FORMER) };
}
