import type { CAcertCertificateStatus, CAcertUnserved } from '../api/cacert/certificate-status.ts';
import type { CAcertCertificate } from '../api/kinds.ts';
import type { Reason } from '../lib/reason.ts';
import { UNCERTAIN_WAIT_MS } from './backoffs.ts';

/** What to report about an attempt with an unknown outcome, and the shortest wait before the next one. */
export function uncertain(
  { metadata }: Pick<CAcertCertificate, 'metadata'>,
  { secretName, requestId }: Pick<CAcertUnserved, 'secretName' | 'requestId'>,
): { why: Reason; leastMs: number } {
  const where =
    requestId === undefined
      ? 'among the client certificates of the web account (account.php?id=5)'
      : `at account.php?id=6&cert=${requestId} of the web account (request ${requestId})`;
  return {
    why: {
      reason: 'IssuanceUncertain',
      message: `CAcert may have signed a certificate that did not arrive. Look for it ${where}. If it is there, put it under tls.crt in the Secret ${secretName} in the namespace ${metadata.namespace}, which holds its key; the operator then adopts it. Otherwise the operator asks for another one after a long wait, or at once if you delete that Secret.`,
    },
    leastMs: UNCERTAIN_WAIT_MS,
  };
}

/** The same if the key of the attempt is gone, so that nothing can be adopted. */
export function keyLost({ secretName }: Pick<CAcertUnserved, 'secretName'>): {
  why: Reason;
  leastMs: number;
} {
  return {
    why: {
      reason: 'PendingKeyLost',
      message: `The Secret ${secretName} with the private key was removed while CAcert was asked for a certificate, which is of no use without it. If CAcert signed one, it is among the client certificates of the web account (account.php?id=5). The operator asks for another one.`,
    },
    leastMs: UNCERTAIN_WAIT_MS,
  };
}

/** What a person must know about a certificate that is no longer used: CAcert has no call that revokes it. */
export function revokeByHand({
  serialNumber,
  notAfter,
}: Pick<CAcertCertificateStatus, 'serialNumber' | 'notAfter'>): string {
  return `The certificate with the serial number ${serialNumber} can log in to the account until it expires at ${notAfter}. CAcert has no call that revokes it: if others may know its key, revoke it in the web account (account.php?id=5).`;
}

/** What a person must know about an attempt whose resource was deleted before it had a result. */
export const deletedUncertain =
  'CAcert was asked for a certificate, and its answer is unknown. If it signed one, that is among the client certificates of the web account (account.php?id=5); its key is deleted.';
