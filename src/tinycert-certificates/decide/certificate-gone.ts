import type { Reason } from '../../lib/reason.ts';
import { conditionOf } from '../../issuance/status/conditions.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { AppError } from '../../lib/errors.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import type { Deps } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';

/** The CA itself says that it no longer has a certificate whose Secret has to be filled. */
export class CertificateGone extends AppError {
  constructor(options?: ErrorOptions) {
    super(
      'CertificateGone',
      'TinyCert no longer has the certificate, so that its Secret cannot be filled again: another one is issued.',
      options,
    );
  }
}

/** After so many failures in a row the CA is taken at its word that it does not give a certificate out. */
const MOST_REFUSALS = 5;
/** The same for one that was only just bought: about an hour, so that a fault of the CA does not buy many. */
const MOST_REFUSALS_OF_NEW = 6;

/**
 * What a certificate that cannot be fetched failed for: that it does not exist, once `cert/details` has said so too, so
 * that one wrong answer does not lead to another purchase. Any other error is given back as it is.
 */
export async function whyUnfetched(
  deps: Deps,
  { account }: ReadyIssuer,
  certificateId: number,
  error: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (!isNotFound(error)) return error;
  try {
    const options = { signal, deadlineMs: deps.timing.callDeadline };
    await account.client.getCertificateDetails(certificateId, options);
    return error;
  } catch (second) {
    return isNotFound(second) ? new CertificateGone({ cause: error }) : error;
  }
}

/**
 * Why a certificate that should only be fetched has to be issued anew: the last try found that the CA no longer has it, or
 * it has refused its key again and again. The wait after a failure bounds how often that can be.
 */
export function goneFor({ certificate: { status } }: Inputs, isNew = false): Reason | undefined {
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

function isNotFound(error: unknown): boolean {
  return error instanceof TinyCertError && error.kind === 'not-found';
}
