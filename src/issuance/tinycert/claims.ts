import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import {
  type AccountDigest,
  type CertificateRef,
  certificateKey,
  certificateRef,
} from '../../api/tinycert/identity.ts';
import type { CertificateSummary } from '../../tinycert/index.ts';
import { type Attempt, nameHash } from './attempt.ts';

/** The maximum in the schema. */
const MAX_FORMER = 20;

/** Whether a line of the CA's list can be an attempt's purchase, by common name. A revoked certificate never is. */
export function isAlike(attempt: Pick<Attempt, 'nameHash'>, entry: CertificateSummary): boolean {
  return entry.status !== 'revoked' && hasName(attempt, entry);
}

/** Whether a line of the CA's list has the common name of an attempt. */
export function hasName(
  attempt: Pick<Attempt, 'nameHash'>,
  entry: Pick<CertificateSummary, 'commonName'>,
): boolean {
  return nameHash(entry.commonName) === attempt.nameHash;
}

/**
 * Whether a certificate that begins at `notBefore` can come from an attempt (`windowStart`, `windowEnd`). One that was bought
 * before the attempt, or long after its request was lost, does not.
 */
export function isFromWindow({ since, until }: Pick<Attempt, 'since' | 'until'>, notBefore: number): boolean {
  return notBefore >= Date.parse(since) && notBefore <= Date.parse(until);
}

/** The certificates that a resource has: its own, and those that it had last at the accounts that it has left. */
export function currentClaimsOf(status: CertificateStatus | undefined): CertificateRef[] {
  const own = certificateRef(status);
  return [...(own ? [own] : []), ...(status?.formerAccounts ?? []).flatMap(currentClaimsOf)];
}

/** All certificates that a resource claims: the current ones, its former ones and those it has yet to revoke. */
export function claimsOf(status: CertificateStatus | undefined): CertificateRef[] {
  const parts = [status ?? {}, ...(status?.formerAccounts ?? [])];
  const others = parts.flatMap(({ formerCertificates = [], pendingRevocations = [] }) => [
    ...formerCertificates,
    ...pendingRevocations,
  ]);
  return [...currentClaimsOf(status), ...others];
}

/** Whether any of `others`, apart from the resource itself, claims a certificate. */
export function isClaimedByOther(
  { metadata: { uid } }: Pick<TinyCertCertificate, 'metadata'>,
  certificate: CertificateRef,
  others: Iterable<Pick<TinyCertCertificate, 'metadata' | 'status'>>,
): boolean {
  const key = certificateKey(certificate);
  for (const { metadata, status } of others)
    if (metadata.uid !== uid && claimsOf(status).some((claim) => certificateKey(claim) === key)) return true;
  return false;
}

/** The former certificates of a resource after it releases others: the newest, and those dropped for want of room. */
export function withFormer(
  { formerCertificates = [] }: Pick<CertificateStatus, 'formerCertificates'>,
  ...others: readonly CertificateRef[]
): { kept: CertificateRef[]; dropped: CertificateRef[] } {
  const byKey = new Map([...formerCertificates, ...others].map((ref) => [certificateKey(ref), ref]));
  const all = [...byKey.values()];
  return { kept: all.slice(-MAX_FORMER), dropped: all.slice(0, -MAX_FORMER) };
}

/** The account that the sealed part of a status is of; undefined if that names nothing. */
export function accountIn(status: CertificateStatus | undefined): AccountDigest | undefined {
  const { account, formerCertificates = [], pendingRevocations = [] } = status ?? {};
  const [named] = [...formerCertificates, ...pendingRevocations];
  return account ?? named?.account;
}
