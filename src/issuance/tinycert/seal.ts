import { timingSafeEqual } from 'node:crypto';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { canonicalJson } from '../../lib/hash.ts';
import { accountIn } from './claims.ts';

/** Makes seals: an account, with its API key. */
export interface Sealer {
  seal(text: string): string;
}

/** The trusted part of a status: it determines which private key is fetched and what is revoked. */
export type Sealed = Pick<
  CertificateStatus,
  'account' | 'authorityId' | 'certificateId' | 'attempt' | 'formerCertificates' | 'pendingRevocations'
>;

/**
 * The seal over the trusted part of a status (`sealed`). Anyone who may write status can put any certificate id of the
 * account there, even another tenant's, but only the API key can seal it.
 */
export function sealOf(sealer: Sealer, uid: string, status: Sealed): string {
  const sealed = Object.fromEntries(sealedFields.map((field) => [field, status[field]]));
  return `v1:${sealer.seal(canonicalJson({ ...sealed, account: accountIn(status), uid }))}`;
}

/** Whether an operator with this account wrote the trusted part of a resource's status. */
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
  'account',
  'authorityId',
  'certificateId',
  'attempt',
  'formerCertificates',
  'pendingRevocations',
] as const satisfies (keyof Sealed)[];
