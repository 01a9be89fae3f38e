import { stopAccount } from '../account/stop-account.ts';
import { stopsOf } from '../account/stops.ts';
import { CAcertError } from '../cacert/index.ts';
import { boughtBy } from '../issuance/attempt/open-attempts.ts';
import { type AfterFailure, afterFailure } from '../issuance/attempt/retry-backoff.ts';
import { SendRefused } from '../issuance/attempt/send-gate.ts';
import { ticketOf } from '../issuance/decide/gate-turn.ts';
import { isSecretRefused, secretNotWritten } from '../issuance/secret/not-written.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import { keyOf } from '../kube/objects.ts';
import type { Reason } from '../lib/reason.ts';
import { endAttempt, hasOtherResult, type OpenAttempt, refusedAfter, unservedAfter } from './attempt.ts';
import { DECIDE_AGAIN_MS } from './backoffs.ts';
import { uncertain } from './messages.ts';
import { pendingSecretRef } from './pending-keys.ts';
import { waitsForAccount } from './preconditions.ts';
import { failedConditions, servedUntil } from './readiness.ts';
import type { Step, Work } from './work.ts';

/** What a call without a certificate means for the resource. */
interface Outcome {
  outcome: 'Refused' | 'Uncertain';
  why: Reason;
  /** Undefined if the account decides when to continue. */
  after: AfterFailure | undefined;
}

/**
 * Handles a `ccsr.php` call that returned no certificate: stops the account if the fault is the account's, records the
 * outcome of the attempt, and schedules the next one. Rethrows errors that are not CAcert's, and any error after an abort.
 */
export async function afterFailedCall(
  work: Work,
  attempt: OpenAttempt,
  error: unknown,
): Promise<ReconcileResult> {
  const { deps, inputs, signal, view } = work;
  if (error instanceof SendRefused) {
    if (error.code !== 'GivenUp')
      deps.attempts.prepared(inputs.certificate.metadata.uid ?? '', attempt.id, deps.clock.monotonic());
    return { requeueAfterMs: DECIDE_AGAIN_MS };
  }
  if (!(error instanceof CAcertError) || signal.aborted) throw error;
  const { certificate } = inputs;
  const fault = { reason: error.code, message: error.message };
  const { account } = work.account;
  const { directory } = deps;
  stopAccount({ account, directory, key: keyOf(certificate), epoch: inputs.turn.epoch, fault }, error);
  const requestId = error.requestId === undefined ? {} : { requestId: String(error.requestId) };
  const { outcome, why, after } = outcomeOf(work, requestId, error);
  deps.metrics.issuances.inc({ outcome: outcome === 'Uncertain' ? 'uncertain' : 'failure' });
  const ended = { ...work.inputs, attempt };
  const change = {
    ...after?.change,
    ...(outcome === 'Uncertain' ? unservedAfter(ended, outcome, requestId) : refusedAfter(ended)),
  };
  const conditions = failedConditions(inputs, why);
  const { generation } = certificate.metadata;
  // The resource may have been edited during the call, which takes minutes. The outcome must be written all the same.
  await deps.statuses.insist(
    certificate,
    (current) => deps.statuses.write({ certificate: current, change, conditions, generation, signal }),
    (current) => hasOtherResult(certificate, current),
    signal,
  );
  endAttempt(deps, view, certificate, attempt);
  if (!after) return waitForAccount(work, error);
  deps.warn(certificate, why.reason, why.message);
  return { requeueAfterMs: after.requeueAfterMs, requeueAt: servedUntil(inputs) };
}

/**
 * After the API server refused to write the Secret `secretName` of a certificate. What CAcert signed is kept beside its key, so
 * that it outlives this process, and the write is tried again: nothing is bought meanwhile. Rethrows every other error.
 */
export async function afterRefusedSecret(
  step: Step,
  secretName: string,
  error: unknown,
): Promise<ReconcileResult> {
  const { deps, inputs, signal } = step;
  if (!isSecretRefused(error) || signal.aborted) throw error;
  const { certificate } = inputs;
  try {
    await keepBought(step);
  } catch (second) {
    // The cluster may refuse both Secrets. The next try keeps it, and until then this process has it.
    if (!isSecretRefused(second)) throw second;
  }
  const why = secretNotWritten(secretName, error);
  const { change, requeueAfterMs } = afterFailure(certificate, deps.clock.now(), why);
  await deps.statuses.write({ certificate, change, conditions: failedConditions(inputs, why), signal });
  deps.warn(certificate, why.reason, why.message);
  return { requeueAfterMs, requeueAt: servedUntil(inputs) };
}

/** Stores beside its key what only this process has. */
async function keepBought({ deps, inputs, signal }: Step): Promise<void> {
  const { certificate, attempt, pending } = inputs;
  const pem = boughtBy(attempt);
  if (pem === undefined || pending.state !== 'present' || pending.certificate === pem) return;
  await deps.pendingKeys.keepCertificate(certificate, pending, pem, signal);
}

/** Waits until the account is ready or its gate calls this certificate. */
function waitForAccount({ deps, inputs, account }: Work, error: CAcertError): ReconcileResult {
  const stops = stopsOf(error);
  // The account got other credentials during the call. It is ready already, so nothing will signal recovery.
  if (deps.directory.get(inputs.accountKey)?.ready && stops === 'login')
    return { requeueAfterMs: DECIDE_AGAIN_MS };
  if (stops !== 'login') account.account.gate.park(ticketOf(deps, inputs));
  return { requeueAt: servedUntil(inputs) };
}

function outcomeOf(
  { deps, inputs: { certificate } }: Pick<Work, 'deps' | 'inputs'>,
  requestId: { requestId?: string },
  error: CAcertError,
): Outcome {
  const now = deps.clock.now();
  if (error.maybeExecuted || error.kind === 'uncertain') {
    const { why, leastMs } = uncertain(certificate, {
      secretName: pendingSecretRef(certificate).name,
      ...requestId,
    });
    return { outcome: 'Uncertain', why, after: afterFailure(certificate, now, why, { leastMs }) };
  }
  if (stopsOf(error) !== 'nobody')
    return { outcome: 'Refused', why: waitsForAccount(certificate), after: undefined };
  const { code, message, detail } = error;
  const why = { reason: code, message: detail === undefined ? message : `${message} (${detail})` };
  return { outcome: 'Refused', why, after: afterFailure(certificate, now, why, { isFinal: true }) };
}
