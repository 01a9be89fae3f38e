import { conditionOf } from '../../issuance/status/conditions.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';

/** After so many failures in a row the CA is taken at its word that it does not give a certificate out. */
const MOST_REFUSALS = 5;
/** The same for one that was only just bought: about an hour, so that a fault of the CA does not buy many. */
const MOST_REFUSALS_OF_NEW = 6;

/**
 * Why a certificate that should only be fetched has to be issued anew: the last try found that the CA no longer has it, or
 * it has refused its key again and again. The wait after a failure bounds how often that can be.
 */
export function certificateGone({ certificate: { status } }: Inputs, isNew = false): Reason | undefined {
  const failed = conditionOf(status?.conditions, 'Issuing');
  const failures = status?.failedAttempts ?? 0;
  if (failed?.status !== 'False' || failures === 0) return undefined;
  const isSaid = failed.reason === 'CertificateGone';
  const isRefused = isSaid || failed.reason === 'NotFound' || failed.reason === 'AccessDenied';
  const isCertain = isNew
    ? isRefused && failures >= MOST_REFUSALS_OF_NEW
    : isSaid || (isRefused && failures >= MOST_REFUSALS);
  if (!isCertain) return undefined;
  return {
    reason: 'CertificateGone',
    message: 'TinyCert no longer gives the certificate out; another one is issued.',
  };
}
