import type { CAcertCertificateStatus } from '../api/cacert/certificate-status.ts';

/** What a person has to know of a certificate that nobody uses any more: CAcert has no call that revokes one. */
export function revokeByHand({
  serialNumber,
  notAfter,
}: Pick<CAcertCertificateStatus, 'serialNumber' | 'notAfter'>): string {
  return `The certificate with the serial number ${serialNumber} is good until ${notAfter} and can log in to the account until then. CAcert has no call that revokes it: do that in the web account (account.php?id=5), if its key may be known to others.`;
}
