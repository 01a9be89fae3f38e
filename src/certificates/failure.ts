import type { Attempt } from '../api/certificate-status.ts';
import { MaterialError } from '../issuance/checks.ts';
import type { ReadyIssuer } from '../issuance/issuer-directory.ts';
import { rfc3339 } from '../issuance/conditions.ts';
import { SendRefused } from '../issuance/send-gate.ts';
import { quietAfter } from '../issuance/timing.ts';
import type { ReconcileResult } from '../kube/controller.ts';
import { ApiError, isAlreadyExists, isConflict } from '../kube/errors.ts';
import { type BackoffOptions, backoffDelay } from '../lib/backoff.ts';
import { AppError } from '../lib/errors.ts';
import { TinyCertError } from '../tinycert/index.ts';
import { X509Error } from '../x509/errors.ts';
import { failedConditions, servedUntil } from './decide.ts';
import type { Deps } from './deps.ts';
import type { Conclusion, Inputs, Reason } from './inputs.ts';
import { record, type StatusChange } from './record.ts';

/** A fault of this certificate: 1 minute doubling to 8 hours. */
const OWN_FAULT: BackoffOptions = { base: 60_000, max: 8 * 3_600_000, jitter: 0.1 };
/** A fault of the issuer, which the issuer's controller looks after: the certificate itself may try again soon. */
const ISSUER_FAULT: BackoffOptions = { base: 5_000, max: 8 * 3_600_000, jitter: 0.3 };
/** What another writer did is seen at once. */
const LOOK_AGAIN_MS = 200;
const DEFAULT_PAUSE_MS = 30_000;

/** After cert/new or cert/reissue did not give an id. The attempt stays open exactly if the CA may have acted. */
export async function afterFailedCall(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  attempt: Attempt,
  error: unknown,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  // Somebody else reissued the certificate: which one came of it has to be looked up, as after silence.
  const isReplaced = error instanceof TinyCertError && error.code === 'NotLatest';
  if (error instanceof SendRefused) {
    // It may have been sent once and refused for its session, so that nothing of it can come any more either.
    deps.attempts.prepared(attempt.id, deps.clock.monotonic());
    return { requeueAfterMs: LOOK_AGAIN_MS };
  }
  const operation = attempt.operation === 'New' ? 'new' : 'reissue';
  if (!(error instanceof TinyCertError) || signal.aborted) throw error;
  reportIssuerFault(deps, inputs, issuer, error);
  if (error.maybeExecuted || isReplaced) {
    // What came of it is looked up, and says itself in the write that it leads to.
    deps.metrics.issuances.inc({ operation, outcome: 'abandoned' });
    return { requeueAfterMs: quietAfter(deps.timing) };
  }
  deps.metrics.issuances.inc({ operation, outcome: 'failure' });
  const isGone = attempt.operation === 'Reissue' && error.kind === 'not-found';
  const outcome = isGone ? 'NotFound' : 'Refused';
  return giveWay(deps, inputs, issuer, error, { attempt: { ...attempt, outcome } }, signal);
}

/** After a certificate that exists at the CA could not be brought into the Secret. Its id is kept in status. */
export async function afterFailedConclusion(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  { certificateId, outcome }: Conclusion,
  error: unknown,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (!(error instanceof AppError) || signal.aborted) throw error;
  const { attempt } = inputs.certificate.status ?? {};
  const keep: StatusChange =
    outcome === 'republished' || !attempt ? {} : { attempt: { ...attempt, certificateId } };
  if (isConflict(error) || isAlreadyExists(error)) {
    await record(deps, { certificate: inputs.certificate, change: keep, sealer: issuer.account, signal });
    return { requeueAfterMs: LOOK_AGAIN_MS };
  }
  if (error instanceof TinyCertError) reportIssuerFault(deps, inputs, issuer, error);
  return giveWay(deps, inputs, issuer, error, keep, signal);
}

/**
 * After a look at the CA that came before any attempt failed: for an authority's certificate, or for a recovery. What is
 * the issuer's fault is said by the issuer, and this certificate waits for it like all others.
 */
export function afterFailedLook(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  error: unknown,
  signal: AbortSignal,
): ReconcileResult {
  if (!(error instanceof TinyCertError) || signal.aborted) throw error;
  reportIssuerFault(deps, inputs, issuer, error);
  if (error.kind === 'rate-limit') return { requeueAfterMs: issuer.account.gate.pausedFor };
  if (deps.directory.get(inputs.issuerKey)?.ready) throw error;
  return { requeueAfterMs: LOOK_AGAIN_MS };
}

/** Writes the failure down and says when to try again; without a time the spec has to change first. */
async function giveWay(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  error: AppError,
  change: StatusChange,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const failures = (inputs.certificate.status?.failedAttempts ?? 0) + 1;
  const now = deps.clock.now();
  const delay = delayOf(error, issuer, failures);
  const why = reasonOf(error);
  deps.warn(inputs.certificate, why.reason, why.message);
  await record(deps, {
    certificate: inputs.certificate,
    change: {
      ...change,
      failedAttempts: failures,
      lastFailureTime: rfc3339(now),
      nextAttemptTime: delay === undefined ? null : rfc3339(now + delay + 999),
    },
    conditions: failedConditions(inputs, why),
    sealer: issuer.account,
    signal,
  });
  const requeueAt = servedUntil(inputs);
  return {
    ...(delay === undefined ? {} : { requeueAfterMs: delay + 1_000 }),
    ...(requeueAt === undefined ? {} : { requeueAt }),
  };
}

function delayOf(error: AppError, { account }: ReadyIssuer, failures: number): number | undefined {
  if (!(error instanceof TinyCertError)) return backoffDelay(OWN_FAULT, failures);
  if (error.kind === 'input') return undefined;
  if (error.kind === 'rate-limit') return account.gate.pausedFor;
  return backoffDelay(error.kind === 'not-found' ? OWN_FAULT : ISSUER_FAULT, failures);
}

/** What is the issuer's fault stops the issuer, so that a thousand certificates do not find it out one by one. */
export function reportIssuerFault(
  deps: Deps,
  inputs: Pick<Inputs, 'issuerKey'>,
  { account }: ReadyIssuer,
  error: TinyCertError,
): void {
  if (error.kind === 'rate-limit') account.gate.pause(error.retryAfterMs ?? DEFAULT_PAUSE_MS);
  if (error.kind === 'credentials' || error.kind === 'passing' || error.kind === 'protocol') {
    deps.directory.fault(inputs.issuerKey, error.code, error.message);
  }
}

function reasonOf(error: AppError): Reason {
  if (error instanceof TinyCertError) {
    const detail = error.parameter === undefined ? '' : ` (parameter ${error.parameter})`;
    return { reason: error.code, message: `${error.message}${detail}` };
  }
  if (error instanceof MaterialError || error instanceof X509Error) {
    const what = error instanceof X509Error ? `It cannot be read: ${error.message}.` : error.message;
    const message = `What TinyCert sent does not pass the checks and is not published; the same certificate is fetched again. ${what}`;
    return { reason: error.code, message };
  }
  if (error instanceof ApiError) {
    return { reason: 'SecretNotWritten', message: `The Secret could not be written: ${error.message}` };
  }
  return { reason: error.code, message: error.message };
}
