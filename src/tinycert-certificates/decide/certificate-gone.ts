import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';

/** After this many failures in a row the CA's refusal to hand out a certificate is believed. */
const MOST_REFUSALS = 5;
/** The same for a certificate that was only just bought: about an hour, so that a fault of the CA does not buy many. */
const MOST_REFUSALS_OF_NEW = 6;

/**
 * Why a certificate that should only be fetched has to be issued again: the last fetch found that the CA no longer has it,
 * or the CA has refused its key repeatedly. The backoff after each failure bounds how often that can happen.
 */
export function certificateGone(
  { certificate: { status } }: Inputs,
  { isNew }: { isNew: boolean } = { isNew: false },
): Reason | undefined {
  const { lastFailure, failedAttempts: failures = 0 } = status ?? {};
  if (!lastFailure || failures === 0) return undefined;
  const { reason } = lastFailure;
  const isGone = reason === 'CertificateGone';
  const isRefused = isGone || reason === 'NotFound' || reason === 'AccessDenied';
  const isCertain = isNew
    ? isRefused && failures >= MOST_REFUSALS_OF_NEW
    : isGone || (isRefused && failures >= MOST_REFUSALS);
  if (!isCertain) return undefined;
  return {
    reason: 'CertificateGone',
    message: 'TinyCert no longer returns the certificate or its key; another one is issued.',
  };
}
