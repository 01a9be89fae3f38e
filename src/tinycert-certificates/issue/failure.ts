import type { Reason } from '../../lib/reason.ts';
import { stopAccount } from '../../account/stop-account.ts';
import { type Stops, stopsOf } from '../../account/stops.ts';
import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import { afterFailure } from '../../issuance/attempt/retry-backoff.ts';
import { MaterialError } from '../../issuance/secret/check-material.ts';
import { sameConditions, withConditions } from '../../issuance/status/conditions.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { SendRefused } from '../../issuance/attempt/send-gate.ts';
import { quietAfter } from '../../issuance/attempt/timing.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { ApiError, isAlreadyExists, isConflict } from '../../kube/errors.ts';
import { keyOf } from '../../kube/objects.ts';
import { AppError } from '../../lib/errors.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import { X509Error } from '../../x509/errors.ts';
import { failedConditions, servedUntil } from '../decide/plan.ts';
import type { Deps } from '../context/deps.ts';
import { waitsForIssuer } from '../decide/preconditions.ts';
import type { Publication, Inputs } from '../context/inputs.ts';
import { record, type StatusChange } from '../status/record.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';

/** What comes of a failure. */
interface Handling {
  /** What the certificate says: that its issuer is not ready, or what went wrong. */
  says: 'issuer' | 'fault';
  /** When it is tried again: called by the account's gate, told by the issuer, after a backoff, or with another spec. */
  retry: 'turn' | 'issuer' | 'backoff' | 'spec';
}

/**
 * Every failure, by whose fault it is. Those of the issuer cost a certificate one write however long they last, and no
 * backoff of its own: the account's gate and the issuer's controller know when to go on.
 */
const handlings = {
  /** The CA fails, or talks nonsense. The breaker opens. */
  account: { says: 'issuer', retry: 'turn' },
  /** The CA refuses the login, or is not trusted. The issuer is not ready until a check succeeds. */
  login: { says: 'issuer', retry: 'issuer' },
  /** Too many requests. The gate is paused. */
  pause: { says: 'fault', retry: 'turn' },
  /** The CA refuses what is asked for. */
  spec: { says: 'fault', retry: 'spec' },
  /** What came does not pass the checks, is gone, or cannot be written to the Secret. */
  own: { says: 'fault', retry: 'backoff' },
} as const satisfies Record<Exclude<Stops, 'nobody'> | 'spec' | 'own', Handling>;

/** What another writer did is seen at once. */
const LOOK_AGAIN_MS = 200;

type FaultKind = keyof typeof handlings;

function kindOf(error: AppError): FaultKind {
  if (!(error instanceof TinyCertError)) return 'own';
  const stops = stopsOf(error);
  if (stops !== 'nobody') return stops;
  return error.kind === 'input' ? 'spec' : 'own';
}

/** After cert/new or cert/reissue did not give an id. The attempt stays open exactly if the CA may have acted. */
export async function afterFailedCall(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  attempt: Attempt,
  error: unknown,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (error instanceof SendRefused) {
    // It may have been sent once and refused for its session, so that nothing of it can come any more either.
    deps.attempts.prepared(attempt.id, deps.clock.monotonic());
    return { requeueAfterMs: LOOK_AGAIN_MS };
  }
  if (!(error instanceof TinyCertError) || signal.aborted) throw error;
  // Somebody else reissued the certificate: which one came of it has to be looked up, as after silence.
  const isReplaced = error.code === 'NotLatest';
  const isOpen = error.maybeExecuted || isReplaced;
  const operation = attempt.operation === 'New' ? 'new' : 'reissue';
  deps.metrics.issuances.inc({ operation, outcome: isOpen ? 'abandoned' : 'failure' });
  if (stopsOf(error) !== 'nobody') {
    if (isOpen && !inputs.turn.onTrial) return lookUpLater(deps, inputs, issuer, error);
    if (isOpen) return waitForIssuer(deps, inputs, issuer, error, {}, signal);
    // Known here, so that this process can try again at once; only the first of a row of refusals is written down.
    deps.attempts.prepared(attempt.id, deps.clock.monotonic());
    return waitForIssuer(
      deps,
      inputs,
      issuer,
      error,
      inputs.turn.onTrial ? {} : { attempt: { ...attempt, outcome: 'Refused' } },
      signal,
    );
  }
  // What came of it is looked up, and says itself in the write that it leads to.
  if (isOpen) return { requeueAfterMs: quietAfter(deps.timing) };
  const isGone = attempt.operation === 'Reissue' && error.kind === 'not-found';
  const outcome = isGone ? 'NotFound' : 'Refused';
  return giveWay(deps, inputs, issuer, error, { attempt: { ...attempt, outcome } }, signal);
}

/** After a certificate that exists at the CA could not be brought into the Secret. Its id is kept in status. */
export async function afterFailedConclusion(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  { certificateId, outcome }: Publication,
  error: unknown,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (!(error instanceof AppError) || signal.aborted) throw error;
  const { attempt } = inputs.certificate.status ?? {};
  const isKept = outcome === 'republished' || !attempt || attempt.certificateId === certificateId;
  const keep: StatusChange = isKept ? {} : { attempt: { ...attempt, certificateId } };
  if (isConflict(error) || isAlreadyExists(error)) {
    await record(deps, { certificate: inputs.certificate, change: keep, sealer: issuer.account, signal });
    return { requeueAfterMs: LOOK_AGAIN_MS };
  }
  if (error instanceof TinyCertError && stopsOf(error) !== 'nobody')
    return waitForIssuer(deps, inputs, issuer, error, keep, signal);
  return giveWay(deps, inputs, issuer, error, keep, signal);
}

/**
 * After a look at the CA that came before any attempt failed: for an authority's certificate, or for a recovery. What is
 * the issuer's fault is said by the issuer, and this certificate waits for it like all others.
 */
export async function afterFailedLook(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  error: unknown,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (!(error instanceof TinyCertError) || signal.aborted || stopsOf(error) === 'nobody') throw error;
  return waitForIssuer(deps, inputs, issuer, error, {}, signal);
}

/**
 * What came of the attempt is looked up, and says itself in the write that it leads to; unless the account is still stopped
 * by then.
 */
function lookUpLater(deps: Deps, inputs: Inputs, issuer: ReadyIssuer, error: TinyCertError): ReconcileResult {
  const quietMs = quietAfter(deps.timing);
  stopIssuer(deps, keyOf(inputs.certificate), issuer, error, inputs.turn.epoch);
  issuer.account.gate.park(ticketOf(deps, inputs), quietMs);
  return { requeueAfterMs: quietMs };
}

/** Stops the account or the issuer, says so if it is not said yet, and waits to be called. */
async function waitForIssuer(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  error: TinyCertError,
  change: StatusChange,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const { says, retry } = handlings[kindOf(error)];
  stopIssuer(deps, keyOf(certificate), issuer, error, inputs.turn.epoch);
  // The issuer has another account by now, which has met no fault.
  if (retry === 'issuer' && deps.directory.get(inputs.issuerKey)?.ready)
    return { requeueAfterMs: LOOK_AGAIN_MS };
  const why = says === 'issuer' ? waitsForIssuer(certificate) : reasonOf(error);
  const conditions = failedConditions(inputs, why);
  const { metadata, status } = certificate;
  const said = withConditions(status?.conditions, conditions, {
    now: deps.clock.now(),
    generation: metadata.generation,
  });
  if (Object.keys(change).length > 0 || !sameConditions(status?.conditions, said))
    await record(deps, { certificate, change, conditions, sealer: issuer.account, signal });
  if (retry === 'turn') issuer.account.gate.park(ticketOf(deps, inputs));
  return { requeueAt: servedUntil(inputs) };
}

/**
 * What is the issuer's fault stops the issuer, so that a thousand certificates do not find it out one by one. `key`: of
 * the certificate that met it; `epoch`: the breaker's when the work began.
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

/** Writes the failure down and says when to try again; without a time the spec has to change first. */
async function giveWay(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  error: AppError,
  change: StatusChange,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const isFinal = handlings[kindOf(error)].retry === 'spec';
  const { change: failed, requeueAfterMs } = afterFailure(inputs.certificate, deps.clock.now(), { isFinal });
  const why = reasonOf(error);
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

function reasonOf(error: AppError): Reason {
  if (error instanceof TinyCertError) return faultOf(error);
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

function faultOf({ code, message, parameter }: TinyCertError): Reason {
  return { reason: code, message: parameter === undefined ? message : `${message} (parameter ${parameter})` };
}
