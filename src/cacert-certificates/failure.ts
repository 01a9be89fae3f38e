import type { CAcertLogin } from '../account/cacert-account.ts';
import { stopAccount } from '../account/stop-account.ts';
import { stopsOf } from '../account/stops.ts';
import type { CAcertAttempt } from '../api/cacert/certificate-status.ts';
import { CAcertError } from '../cacert/index.ts';
import { type AfterFailure, afterFailure } from '../issuance/attempt/retry-backoff.ts';
import { SendRefused } from '../issuance/attempt/send-gate.ts';
import { ticketOf } from '../issuance/decide/gate-turn.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import { keyOf } from '../kube/objects.ts';
import type { Reason } from '../lib/reason.ts';
import { failedConditions, servedUntil } from './decide.ts';
import type { Deps } from './deps.ts';
import type { Inputs } from './inputs.ts';
import { uncertain } from './messages.ts';
import { waitsForAccount } from './preconditions.ts';

/** What another writer did is seen at once. */
const LOOK_AGAIN_MS = 200;

/** What becomes of a certificate after a call that gave none. */
interface Outcome {
  outcome: NonNullable<CAcertAttempt['outcome']>;
  why: Reason;
  /** Undefined where the account says when to go on. */
  after: AfterFailure | undefined;
}

/** After `ccsr.php` gave no certificate. What may have been signed all the same is not asked for again soon. */
export async function afterFailedCall(
  deps: Deps,
  inputs: Inputs,
  account: CAcertLogin,
  attempt: CAcertAttempt,
  error: unknown,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (error instanceof SendRefused) {
    deps.attempts.prepared(attempt.id, deps.clock.monotonic());
    return { requeueAfterMs: LOOK_AGAIN_MS };
  }
  if (!(error instanceof CAcertError) || signal.aborted) throw error;
  const { certificate } = inputs;
  const fault = { reason: error.code, message: error.message };
  const { directory } = deps;
  stopAccount({ account, directory, key: keyOf(certificate), epoch: inputs.turn.epoch, fault }, error);
  const requestId = error.requestId === undefined ? {} : { requestId: String(error.requestId) };
  const { outcome, why, after } = outcomeOf(deps, inputs, { ...attempt, ...requestId }, error);
  deps.metrics.issuances.inc({ outcome: outcome === 'Uncertain' ? 'uncertain' : 'failure' });
  const change = { ...after?.change, attempt: { ...attempt, ...requestId, outcome } };
  const conditions = failedConditions(inputs, why);
  const { generation } = certificate.metadata;
  // A call takes minutes, in which somebody may have edited the resource; what is known of its end must not be lost.
  await deps.statuses.insist(
    certificate,
    (current) => deps.statuses.write({ certificate: current, change, conditions, generation, signal }),
    () => false,
    signal,
  );
  deps.attempts.forget(attempt.id);
  if (after) {
    deps.warn(certificate, why.reason, why.message);
    return { requeueAfterMs: after.requeueAfterMs, requeueAt: servedUntil(inputs) };
  }
  // The account has other credentials by now, which have met no fault: nobody else tells that it is ready.
  if (deps.directory.get(inputs.accountKey)?.ready && stopsOf(error) === 'login')
    return { requeueAfterMs: LOOK_AGAIN_MS };
  if (stopsOf(error) !== 'login') account.gate.park(ticketOf(deps, inputs));
  return { requeueAt: servedUntil(inputs) };
}

function outcomeOf(deps: Deps, { certificate }: Inputs, attempt: CAcertAttempt, error: CAcertError): Outcome {
  const now = deps.clock.now();
  if (error.maybeExecuted || error.kind === 'uncertain') {
    const { why, leastMs } = uncertain(certificate, attempt);
    return { outcome: 'Uncertain', why, after: afterFailure(certificate, now, { leastMs }) };
  }
  if (stopsOf(error) !== 'nobody')
    return { outcome: 'Refused', why: waitsForAccount(certificate), after: undefined };
  const { code, message, detail } = error;
  return {
    outcome: 'Refused',
    why: { reason: code, message: detail === undefined ? message : `${message} (${detail})` },
    after: afterFailure(certificate, now, { isFinal: true }),
  };
}
