import { type CertificateRef, isSameCertificate } from '../../api/tinycert/identity.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';

/** After this many refusals in a row it is believed that the CA does not hand out a certificate any more. */
const MOST_REFUSALS = 5;
/** The same for a certificate that was only just bought: about an hour, so that a fault of the CA does not buy many. */
const MOST_REFUSALS_OF_NEW = 6;

/**
 * Why a certificate that should only be fetched has to be issued again: the last fetch found that the CA no longer has it,
 * and `cert/details` said so too, or the CA has refused this certificate or its key repeatedly. The backoff after each failure
 * bounds how often that can happen.
 */
export function certificateGone(
  { certificate: { status } }: Inputs,
  certificate: CertificateRef | undefined,
  { isNew }: { isNew: boolean } = { isNew: false },
): Reason | undefined {
  const { refusedFetches: refused } = status ?? {};
  if (!refused || !isSameCertificate(refused, certificate)) return undefined;
  const isCertain = isNew
    ? refused.count >= MOST_REFUSALS_OF_NEW
    : refused.confirmed || refused.count >= MOST_REFUSALS;
  if (!isCertain) return undefined;
  return {
    reason: 'CertificateGone',
    message: 'TinyCert no longer returns the certificate or its key; another one is issued.',
  };
}
