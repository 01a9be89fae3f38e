import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { SEAL_KEY_SECRET } from '../../account/seal-key.ts';
import { sealSubkey } from '../../account/tinycert-account.ts';
import { canonicalJson, hmacHex } from '../../lib/hash.ts';
import { accountIn } from './claims.ts';

/** Makes the two authentication codes of a seal: an account, as this installation knows it. */
export interface Sealer {
  sealCodes(text: string): SealCodes;
}

/**
 * Verifies seals by the installation's key alone, whatever account they are of. Its other code is random, so that nobody can
 * guess it. `sealKey`: the key, once it is loaded.
 */
export function installationSealer(sealKey: () => Uint8Array): Sealer {
  const nobody = randomBytes(32);
  return {
    sealCodes: (text) => ({
      installation: hmacHex(sealSubkey(sealKey()), text),
      apiKey: hmacHex(nobody, text),
    }),
  };
}

/** Authentication codes for one text in hexadecimal, each with a key of its own. */
export interface SealCodes {
  /** With the random key of this installation. It outlives every API key. */
  installation: string;
  /** With the account's present API key. It outlives the loss of the installation's key. */
  apiKey: string;
}

/**
 * What a seal proves. Either code is proof: `whole` has both, `partial` has one and is due to be written again, `broken` has
 * none, so somebody else may have written the status.
 */
export type SealState = 'whole' | 'partial' | 'broken';

/** How a seal comes to be broken, as the beginning of a sentence for people. */
export const BROKEN_SEAL = `The status was changed by somebody else, or the Secret ${SEAL_KEY_SECRET} and the API key were both replaced`;

/** The trusted part of a status: it determines which private key is fetched and what is revoked. */
export type Sealed = Pick<
  CertificateStatus,
  'account' | 'authorityId' | 'certificateId' | 'attemptId' | 'formerCertificates' | 'pendingRevocations'
>;

/**
 * The seal over the trusted part of a status (`sealed`). Anyone who may write status can put any certificate id of the
 * account there, even another tenant's, but only a holder of one of the two keys can seal it.
 */
export function sealOf(sealer: Sealer, uid: string, status: Sealed): string {
  const sealed = Object.fromEntries(sealedFields.map((field) => [field, status[field]]));
  const { installation, apiKey } = sealer.sealCodes(
    canonicalJson({ ...sealed, account: accountIn(status), uid }),
  );
  return `v1:${installation}:${apiKey}`;
}

/** Whether an operator of this installation, or one with the account's present API key, wrote the trusted part of a status. */
export function sealStateOf(
  sealer: Sealer,
  { metadata: { uid = '' }, status = {} }: Pick<TinyCertCertificate, 'metadata' | 'status'>,
): SealState {
  if (status.seal === undefined) return 'broken';
  const expected = sealOf(sealer, uid, status).split(':');
  const given = status.seal.split(':');
  if (given.length !== expected.length || given[0] !== expected[0]) return 'broken';
  const valid = [1, 2].filter((part) => isSame(given[part], expected[part])).length;
  return valid === 2 ? 'whole' : valid === 1 ? 'partial' : 'broken';
}

/** Whether a new seal over a status drops nothing of it: its seal holds (`sealed`), or there is nothing that one would cover. */
export function mayBeSealed(sealed: boolean | undefined, status: CertificateStatus = {}): boolean {
  return sealed !== false || sealedFields.every((field) => status[field] === undefined);
}

/** Whether the seal of a status holds by either code. */
export function isSealed(
  sealer: Sealer,
  resource: Pick<TinyCertCertificate, 'metadata' | 'status'>,
): boolean {
  return sealStateOf(sealer, resource) !== 'broken';
}

function isSame(given = '', expected = ''): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The fields that the seal covers. */
export const sealedFields = [
  'account',
  'authorityId',
  'certificateId',
  'attemptId',
  'formerCertificates',
  'pendingRevocations',
] as const satisfies (keyof Sealed)[];
