import { timingSafeEqual } from 'node:crypto';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { canonicalJson } from '../../lib/hash.ts';

/** Who can make seals: an account, by its API key. */
export interface Sealer {
  seal(text: string): string;
}

/** The part of a status that decides which private key is fetched and what is revoked. */
export type Sealed = Pick<
  CertificateStatus,
  'authorityId' | 'certificateId' | 'attempt' | 'formerCertificateIds' | 'pendingRevocations'
>;

/**
 * The seal over what decides which private key is fetched for a resource, and what is revoked. Whoever may write status can write any
 * certificate id of the account there, another tenant's too; without the API key nobody can make the seal for it.
 */
export function sealOf(sealer: Sealer, uid: string, status: Sealed): string {
  const { authorityId, certificateId, attempt, formerCertificateIds, pendingRevocations } = status;
  const sealed = { uid, authorityId, certificateId, attempt, formerCertificateIds, pendingRevocations };
  return `v1:${sealer.seal(canonicalJson(sealed))}`;
}

/** Whether a status was written by an operator with this account. */
export function isSealed(
  sealer: Sealer,
  { metadata: { uid = '' }, status = {} }: Pick<TinyCertCertificate, 'metadata' | 'status'>,
): boolean {
  const expected = Buffer.from(sealOf(sealer, uid, status));
  const given = Buffer.from(status.seal ?? '');
  return expected.length === given.length && timingSafeEqual(expected, given);
}

/** The fields that the seal covers. */
export const sealedFields = [
  'authorityId',
  'certificateId',
  'attempt',
  'formerCertificateIds',
  'pendingRevocations',
] as const satisfies (keyof Sealed)[];
