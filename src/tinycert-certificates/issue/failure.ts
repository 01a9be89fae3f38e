import { stopAccount } from '../../account/stop-account.ts';
import { type Stops, stopsOf } from '../../account/stops.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { Attempt, RefusedFetches } from '../../api/tinycert/certificate-status.ts';
import { type CertificateRef, isSameCertificate } from '../../api/tinycert/identity.ts';
import { afterFailure } from '../../issuance/attempt/retry-backoff.ts';
import { SendRefused } from '../../issuance/attempt/send-gate.ts';
import { quietAfter } from '../../issuance/attempt/timing.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';
import { MaterialError } from '../../issuance/secret/check-material.ts';
import { isSecretRefused, secretNotWritten } from '../../issuance/secret/not-written.ts';
import { sameConditions, withConditions } from '../../issuance/status/conditions.ts';
import { noteContest } from '../../issuance/status/rate-limit.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { previousOf } from '../../issuance/tinycert/attempt.ts';
import { idAt, orGone } from '../../issuance/tinycert/lookup.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { ApiError, isAlreadyExists, isConflict } from '../../kube/errors.ts';
import { keyOf } from '../../kube/objects.ts';
import { AppError } from '../../lib/errors.ts';
import type { Reason } from '../../lib/reason.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import { X509Error } from '../../x509/errors.ts';
import type { Deps } from '../context/deps.ts';
import { callOptions, DECIDE_AGAIN_MS, type Task, type Work } from '../context/work.ts';
import { waitsForIssuer } from '../decide/preconditions.ts';
import { failedConditions, servedUntil } from '../decide/readiness.ts';
import type { Publication } from '../decide/types.ts';
import { type StatusChange, record } from '../status/record.ts';

/** What follows from a failure. */
interface Handling {
  /** What the certificate reports: that its issuer is not ready, or the fault itself. */
  reports: 'issuer' | 'fault';
  /** What starts the next try: the account's gate, the issuer, a backoff, or a change of the spec. */
  retry: 'gate' | 'issuer' | 'backoff' | 'spec';
}

/**
 * Every failure, sorted by whose fault it is. A fault of the issuer costs a certificate one write, however long it lasts, and no
 * backoff of its own: the account's gate and the issuer's controller know when to continue.
 */
const handlings = {
  /** The CA fails or its answers make no sense. The breaker opens. */
  account: { reports: 'issuer', retry: 'gate' },
  /** The CA refuses the login or is not trusted. The issuer is not ready until a check succeeds. */
  login: { reports: 'issuer', retry: 'issuer' },
  /** Too many requests. The gate pauses. */
  pause: { reports: 'fault', retry: 'gate' },
  /** The CA refuses the request. */
  spec: { reports: 'fault', retry: 'spec' },
  /** The certificate fails the checks, is gone, or cannot be written to the Secret. */
  own: { reports: 'fault', retry: 'backoff' },
} as const satisfies Record<Exclude<Stops, 'nobody'> | 'spec' | 'own', Handling>;

function handlingOf(error: AppError): Handling {
  if (!(error instanceof TinyCertError)) return handlings.own;
  const stops = stopsOf(error);
  if (stops !== 'nobody') return handlings[stops];
  return error.kind === 'input' ? handlings.spec : handlings.own;
}

/** After `cert/new` or `cert/reissue` returned no id. The attempt stays open exactly if the CA may have acted. */
export async function afterFailedCall(
  work: Work,
  attempt: Attempt,
  error: unknown,
): Promise<ReconcileResult> {
  const { deps, inputs, signal } = work;
  if (error instanceof SendRefused) {
    // If it was sent before, that request was refused for its session, so nothing can come of it either.
    deps.attempts.unsent(attempt.id);
    return { requeueAfterMs: DECIDE_AGAIN_MS };
  }
  if (!(error instanceof TinyCertError) || signal.aborted) throw error;
  // NotLatest: somebody else reissued the certificate, and what came of that has to be recovered (`notLatestRecovers`).
  const isOpen = error.maybeExecuted || error.code === 'NotLatest';
  const operation = attempt.operation === 'New' ? 'new' : 'reissue';
  deps.metrics.issuances.inc({ operation, outcome: isOpen ? 'abandoned' : 'failure' });
  if (stopsOf(error) !== 'nobody') {
    const isOnTrial = inputs.turn.phase !== 'open';
    if (isOpen) return isOnTrial ? waitForIssuer(work, error, {}) : recoverLater(work, error);
    // This process can try again at once. Of several refusals in a row, only the first is written.
    deps.attempts.unsent(attempt.id);
    return waitForIssuer(work, error, isOnTrial ? {} : { attempt: { ...attempt, outcome: 'Refused' } });
  }
  // The write of the recovery's result reports it.
  if (error.code === 'NotLatest') return { requeueAfterMs: quietAfter(deps.timing) };
  // The backoff is longer than the attempt can have an effect. What it bought is looked for after that.
  if (isOpen) return backOff(work, error, {});
  const outcome = (await isGone(work, attempt, error)) ? 'NotFound' : 'Refused';
  return backOff(work, error, { attempt: { ...attempt, outcome } });
}

/**
 * Whether the certificate to reissue is gone: another one with a new key is bought then, so `cert/details` has to say the same.
 * While nobody knows, the reissue is tried again.
 */
async function isGone(work: Work, attempt: Attempt, error: TinyCertError): Promise<boolean> {
  const previous = previousOf(attempt);
  if (attempt.operation !== 'Reissue' || !previous || error.kind !== 'not-found') return false;
  const { account } = work.issuer;
  const id = idAt(account, previous);
  try {
    return (await orGone(() => account.client.getCertificateDetails(id, callOptions(work)))) === undefined;
  } catch (unknown) {
    if (unknown instanceof TinyCertError) return false;
    throw unknown;
  }
}

/** After a certificate that exists at the CA could not be published. Its id is kept in status. */
export async function afterFailedPublication(
  work: Work,
  { certificate, outcome }: Publication,
  error: unknown,
): Promise<ReconcileResult> {
  const { deps, inputs, issuer, signal } = work;
  if (!(error instanceof AppError) || signal.aborted) throw error;
  const { attempt } = inputs.certificate.status ?? {};
  const isKept = outcome === 'republished' || !attempt || isSameCertificate(attempt, certificate);
  const { certificateId } = certificate;
  const refusedFetches = refusalsAfter(inputs.certificate, certificate, error);
  const change: StatusChange = {
    ...(isKept ? {} : { attempt: { ...attempt, certificateId } }),
    ...(refusedFetches === undefined ? {} : { refusedFetches }),
  };
  if (isConflict(error) || isAlreadyExists(error)) {
    // Nothing was repaired, and all of it is fetched again.
    if (outcome !== 'republished' || inputs.certificate.status?.failedAttempts !== undefined)
      noteContest(deps, inputs.certificate);
    await record(deps, { certificate: inputs.certificate, change, sealer: issuer.account, signal });
    return { requeueAfterMs: DECIDE_AGAIN_MS };
  }
  if (error instanceof TinyCertError && stopsOf(error) !== 'nobody')
    return waitForIssuer(work, error, change);
  return backOff(work, error, change);
}

/**
 * How often in a row the CA has not handed out a certificate, after another failure; null if it did this time, and undefined
 * if nothing is to be written. An outage of the CA neither counts nor ends the count.
 */
function refusalsAfter(
  { status }: TinyCertCertificate,
  certificate: CertificateRef,
  error: AppError,
): RefusedFetches | null | undefined {
  const { refusedFetches: before } = status ?? {};
  const confirmed = error.code === 'CertificateGone';
  if (confirmed || (error instanceof TinyCertError && error.kind === 'not-found')) {
    const count = before && isSameCertificate(before, certificate) ? before.count : 0;
    return { ...certificate, count: count + 1, confirmed };
  }
  return error instanceof TinyCertError || before === undefined ? undefined : null;
}

/**
 * After a read at the CA failed before any attempt: for an authority's certificate, or in a recovery. The issuer reports its
 * own faults, and this certificate waits for it like all others. Rethrows every other error.
 */
export async function afterFailedRead(work: Work, error: unknown): Promise<ReconcileResult> {
  if (!(error instanceof TinyCertError) || work.signal.aborted || stopsOf(error) === 'nobody') throw error;
  return waitForIssuer(work, error, {});
}

/**
 * After the API server refused to write what a Secret lacks whose content is right: a file, or metadata. What is served stays
 * Ready. Rethrows every other error.
 */
export async function afterFailedSync(task: Task, error: unknown): Promise<ReconcileResult> {
  const { deps, inputs, signal } = task;
  if (!isSecretRefused(error) || signal.aborted) throw error;
  const { certificate } = inputs;
  const why = secretNotWritten(certificate.spec.secretName, error);
  const { change, requeueAfterMs } = afterFailure(certificate, deps.clock.now(), why);
  deps.warn(certificate, why.reason, why.message);
  // No sealed field changes. A new seal would drop what a status with a broken seal names, and that could be bought again.
  await record(deps, { certificate, change, conditions: failedConditions(inputs, why), signal });
  return { requeueAfterMs, requeueAt: servedUntil(inputs) };
}

/** Stops the account and recovers the attempt later. The write of that result reports it, unless the account is still stopped. */
function recoverLater({ deps, inputs, issuer }: Work, error: TinyCertError): ReconcileResult {
  const quietMs = quietAfter(deps.timing);
  stopIssuer(deps, keyOf(inputs.certificate), issuer, error, inputs.turn.epoch);
  issuer.account.gate.park(ticketOf(deps, inputs), quietMs);
  return { requeueAfterMs: quietMs };
}

/** Stops the account or the issuer, reports that unless it is reported already, and waits to be woken. */
async function waitForIssuer(
  { deps, inputs, issuer, signal }: Work,
  error: TinyCertError,
  change: StatusChange,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const { reports, retry } = handlingOf(error);
  stopIssuer(deps, keyOf(certificate), issuer, error, inputs.turn.epoch);
  // The issuer has another account by now, which has met no fault.
  if (retry === 'issuer' && deps.directory.get(inputs.issuerKey)?.ready)
    return { requeueAfterMs: DECIDE_AGAIN_MS };
  const why =
    reports === 'issuer' ? waitsForIssuer(certificate) : reasonOf(certificate.spec.secretName, error);
  const conditions = failedConditions(inputs, why);
  const { metadata, status } = certificate;
  const next = withConditions(status?.conditions, conditions, {
    now: deps.clock.now(),
    generation: metadata.generation,
  });
  if (Object.keys(change).length > 0 || !sameConditions(status?.conditions, next))
    await record(deps, { certificate, change, conditions, sealer: issuer.account, signal });
  if (retry === 'gate') issuer.account.gate.park(ticketOf(deps, inputs));
  return { requeueAt: servedUntil(inputs) };
}

/**
 * Stops what an error of the CA concerns, so that a thousand certificates do not each run into it. `key`: of the certificate
 * that met it; `epoch`: the breaker's when the work began.
 */
export function stopIssuer(
  deps: Deps,
  key: string,
  { account }: ReadyIssuer,
  error: TinyCertError,
  epoch: number,
): void {
  stopAccount({ account, directory: deps.directory, key, epoch, fault: faultOf(error) }, error);
}

/**
 * Records the failure and when the next try comes; after a refusal of the request that certainly had no effect, only with
 * another spec.
 */
export async function backOff(
  { deps, inputs, issuer, signal }: Work,
  error: AppError,
  change: StatusChange,
): Promise<ReconcileResult> {
  const mayHaveActed = error instanceof TinyCertError && error.maybeExecuted;
  const why = reasonOf(inputs.certificate.spec.secretName, error);
  const { change: failed, requeueAfterMs } = afterFailure(inputs.certificate, deps.clock.now(), why, {
    isFinal: handlingOf(error).retry === 'spec' && !mayHaveActed,
    leastMs: quietAfter(deps.timing),
  });
  deps.warn(inputs.certificate, why.reason, why.message);
  await record(deps, {
    certificate: inputs.certificate,
    change: { ...change, ...failed },
    conditions: failedConditions(inputs, why),
    sealer: issuer.account,
    signal,
  });
  return { requeueAfterMs, requeueAt: servedUntil(inputs) };
}

function reasonOf(secretName: string, error: AppError): Reason {
  if (error instanceof TinyCertError) return faultOf(error);
  if (error instanceof MaterialError || error instanceof X509Error) {
    const what = error instanceof X509Error ? `It cannot be read: ${error.message}.` : error.message;
    const message = `What TinyCert sent does not pass the checks and is not published; the same certificate is fetched again. ${what} To have another one issued, change the spec, or delete the resource and create it again.`;
    return { reason: error.code, message };
  }
  if (error instanceof ApiError) return secretNotWritten(secretName, error);
  return { reason: error.code, message: error.message };
}

function faultOf({ code, message, parameter }: TinyCertError): Reason {
  return { reason: code, message: parameter === undefined ? message : `${message} (parameter ${parameter})` };
}
