import type { CAcertAttempt, CAcertCertificateStatus } from '../api/cacert/certificate-status.ts';
import type { CAcertCertificate } from '../api/kinds.ts';
import type { Reason } from '../lib/reason.ts';

/** A late certificate comes within minutes, if it comes; and what is asked for again is one more if it does. */
const LEAST_MS = 900_000;

/** What to say, and how long to wait at least, where nobody knows whether an attempt bought anything. */
export function uncertain(
  { metadata }: Pick<CAcertCertificate, 'metadata'>,
  { pendingSecretName, requestId }: Pick<CAcertAttempt, 'pendingSecretName' | 'requestId'>,
): { why: Reason; leastMs: number } {
  const where =
    requestId === undefined
      ? 'among the client certificates of the web account (account.php?id=5)'
      : `at account.php?id=6&cert=${requestId} of the web account (request ${requestId})`;
  return {
    why: {
      reason: 'IssuanceUncertain',
      message: `CAcert may have signed a certificate that did not arrive. Look for it ${where}; if it is there, put it under tls.crt into the Secret ${pendingSecretName} of the namespace ${metadata.namespace}, which has its key, and it is taken over. Otherwise another one is asked for, after a long while; or at once if that Secret is deleted.`,
    },
    leastMs: LEAST_MS,
  };
}

/** What a person has to know of a certificate that nobody uses any more: CAcert has no call that revokes one. */
export function revokeByHand({
  serialNumber,
  notAfter,
}: Pick<CAcertCertificateStatus, 'serialNumber' | 'notAfter'>): string {
  return `The certificate with the serial number ${serialNumber} is good until ${notAfter} and can log in to the account until then. CAcert has no call that revokes it: do that in the web account (account.php?id=5), if its key may be known to others.`;
}
