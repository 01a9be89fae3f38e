import { stopAccount } from '../../account/stop-account.ts';
import { type Stops, stopsOf } from '../../account/stops.ts';
import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { RefusedFetches } from '../../api/tinycert/certificate-status.ts';
import { type CertificateRef, certificateRef, isSameCertificate } from '../../api/tinycert/identity.ts';
import { afterFailure } from '../../issuance/attempt/retry-backoff.ts';
import { SendRefused } from '../../issuance/attempt/send-gate.ts';
import { quietAfter } from '../../issuance/attempt/timing.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';
import { MaterialError } from '../../issuance/secret/check-material.ts';
import { isSecretRefused, secretNotWritten } from '../../issuance/secret/not-written.ts';
import { says } from '../../issuance/status/conditions.ts';
import { noteContest } from '../../issuance/status/rate-limit.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { attemptOwner, type OpenAttempt, previousOf } from '../../issuance/tinycert/attempt.ts';
import { idAt, orGone } from '../../issuance/tinycert/lookup.ts';
import { JournalRefused, TermOver } from '../../journal/errors.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { ApiError, isAlreadyExists, isConflict } from '../../kube/errors.ts';
import { keyOf } from '../../kube/objects.ts';
import { AppError } from '../../lib/errors.ts';
import type { Reason } from '../../lib/reason.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import { X509Error } from '../../x509/errors.ts';
import type { Deps } from '../context/deps.ts';
import { amend, endAttempt } from '../context/attempts.ts';
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
  open: OpenAttempt,
  error: unknown,
): Promise<ReconcileResult> {
  const { deps, inputs, signal } = work;
  if (error instanceof SendRefused) {
    // If it was sent before, that request was refused for its session, so nothing can come of it either.
    if (error.code !== 'GivenUp') unsent(work, open);
    return { requeueAfterMs: DECIDE_AGAIN_MS };
  }
  if (!(error instanceof TinyCertError) || signal.aborted) throw error;
  // NotLatest: somebody else reissued the certificate, and what came of that has to be recovered (`notLatestRecovers`).
  const isOpen = error.maybeExecuted || error.code === 'NotLatest';
  const operation = open.attempt.operation === 'New' ? 'new' : 'reissue';
  deps.metrics.issuances.inc({ operation, outcome: isOpen ? 'abandoned' : 'failure' });
  if (stopsOf(error) !== 'nobody') {
    const isOnTrial = inputs.turn.phase !== 'open';
    if (isOpen) return isOnTrial ? waitForIssuer(work, error, {}) : recoverLater(work, error);
    refused(work, open);
    return waitForIssuer(work, error, {});
  }
  // What follows is a recovery.
  if (error.code === 'NotLatest') return { requeueAfterMs: 0 };
  // The backoff is longer than the attempt can have an effect. What it bought is looked for after that.
  if (isOpen) return backOff(work, error, {});
  const gone = await goneWith(work, open, error);
  refused(work, open);
  return backOff(work, error, gone ? { refusedFetches: gone } : {});
}

/** Nothing was done at the CA. */
function unsent({ deps, inputs }: Work, { id, attempt }: OpenAttempt): void {
  const owner = attemptOwner(inputs.certificate.metadata.uid ?? '', attempt.account);
  deps.attempts.prepared(owner, id, deps.clock.monotonic());
}

/** The CA refused the request for certain. An attempt that counts answers in doubt goes on, so that the count does (`replyOnce`). */
function refused(work: Work, open: OpenAttempt): void {
  const { deps, inputs, view } = work;
  const owner = attemptOwner(inputs.certificate.metadata.uid ?? '', open.attempt.account);
  if (open.attempt.doubts === undefined) endAttempt(deps, view, owner, open.id);
  else unsent(work, open);
}

/**
 * What to record if the certificate to reissue is gone: another one with a new key is bought then, so `cert/details` has to say
 * the same. While nobody knows, the reissue is tried again.
 */
async function goneWith(
  work: Work,
  { attempt }: OpenAttempt,
  error: TinyCertError,
): Promise<RefusedFetches | undefined> {
  const previous = previousOf(attempt);
  if (attempt.operation !== 'Reissue' || !previous || error.kind !== 'not-found') return undefined;
  const { account } = work.issuer;
  const id = idAt(account, previous);
  try {
    const details = await orGone(() => account.client.getCertificateDetails(id, callOptions(work)));
    if (details !== undefined) return undefined;
    return {
      ...previous,
      count: timesRefused(work.inputs.certificate.status?.refusedFetches, previous) + 1,
      confirmed: true,
    };
  } catch (unknown) {
    if (unknown instanceof TinyCertError) return undefined;
    throw unknown;
  }
}

/** After a certificate that exists at the CA could not be published. Its id is kept with the attempt. */
export async function afterFailedPublication(
  work: Work,
  { certificate, outcome, records }: Publication,
  error: unknown,
): Promise<ReconcileResult> {
  const { deps, inputs, issuer, signal } = work;
  if (!(error instanceof AppError) || error instanceof TermOver || signal.aborted) throw error;
  const { attempt: open } = inputs;
  const isKept = outcome === 'republished' || isSameCertificate(certificateRef(open?.attempt), certificate);
  // The next try to publish it knows nothing of what a recovery found besides.
  if (open && !isKept)
    await amend(work, open, { certificateId: certificate.certificateId }, { records }).catch(
      (refused: unknown) => {
        // This process knows it all the same, and the next failure tries again.
        if (!(refused instanceof JournalRefused)) throw refused;
      },
    );
  const refusedFetches = refusalsAfter(inputs.certificate, certificate, error);
  const change: StatusChange = refusedFetches === undefined ? {} : { refusedFetches };
  if (isConflict(error) || isAlreadyExists(error)) {
    // Nothing was repaired, and all of it is fetched again.
    if (outcome !== 'republished' || inputs.certificate.status?.failedAttempts !== undefined)
      noteContest(deps, inputs.certificate);
    if (refusedFetches !== undefined)
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
  if (confirmed || (error instanceof TinyCertError && error.kind === 'not-found'))
    return { ...certificate, count: timesRefused(before, certificate) + 1, confirmed };
  return error instanceof TinyCertError || before === undefined ? undefined : null;
}

function timesRefused(before: RefusedFetches | undefined, certificate: CertificateRef): number {
  return before && isSameCertificate(before, certificate) ? before.count : 0;
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

/** Stops the account. What follows is a recovery, and its result is reported, unless the account is still stopped. */
function recoverLater({ deps, inputs, issuer }: Work, error: TinyCertError): ReconcileResult {
  stopIssuer(deps, keyOf(inputs.certificate), issuer, error, inputs.turn.epoch);
  return { requeueAfterMs: 0 };
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
  if (
    Object.keys(change).length > 0 ||
    !says(status?.conditions, conditions, { generation: metadata.generation })
  )
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
    // With its account, since it says nothing about the next one (`leaving`).
    change: { ...change, ...failed, account: issuer.account.digest },
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
