import { afterFailure } from '../issuance/attempt/retry-backoff.ts';
import { cacertKind } from '../issuance/cacert/kind.ts';
import { ticketOf } from '../issuance/decide/gate-turn.ts';
import { isUpToDate, upToDateStatus } from '../issuance/decide/up-to-date.ts';
import { nextReconcileAt } from '../issuance/renewal/plan.ts';
import { afterStored } from '../issuance/decide/after-stored.ts';
import type { Stored } from '../issuance/secret/kept.ts';
import type { SecretSource } from '../issuance/secret/outputs.ts';
import { repair, reportBlocker } from '../issuance/status/rate-limit.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import { TerminalError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Reason } from '../lib/reason.ts';
import { endAttempt, unservedAfter } from './attempt.ts';
import { DECIDE_AGAIN_MS } from './backoffs.ts';
import type { Plan } from './decide.ts';
import { afterRefusedSecret } from './failure.ts';
import { issue } from './issue.ts';
import { keyLost, uncertain } from './messages.ts';
import { pendingSecretRef } from './pending-keys.ts';
import { adopt, publish, refuse } from './publish.ts';
import { failedConditions, servedUntil, settledCondition } from './readiness.ts';
import type { Step } from './work.ts';

/** Reasons that need no event: the account has events of its own, and a user who sets `suspend` knows it. */
const REPORTED_ELSEWHERE: ReadonlySet<string> = new Set(['AccountNotReady', 'Suspended']);

/**
 * The plans that write the certificate's own Secret. `keep` and `refuse` write the pending one: what waits for that exists only
 * in this process, so a failure gets the short waits of the controller.
 */
const WRITES_SECRET: ReadonlySet<Plan['do']> = new Set(['publish', 'adopt', 'syncSecret']);

/** The needs to issue that repair a Secret. Something else may keep undoing the repair. */
const REPAIRS: ReadonlySet<string> = new Set(['SecretMismatch', 'SecretMissing']);

/**
 * Executes a plan. The process may die after any step without losing a key or an answer. A Secret that the API server refuses
 * is reported and tried again.
 */
export async function act(step: Step, plan: Plan): Promise<ReconcileResult> {
  const { certificate } = step.inputs;
  try {
    return await execute(step, plan);
  } catch (error) {
    if (WRITES_SECRET.has(plan.do)) return afterRefusedSecret(step, certificate.spec.secretName, error);
    if (plan.do === 'issue') return afterRefusedSecret(step, pendingSecretRef(certificate).name, error);
    throw error;
  }
}

async function execute(step: Step, plan: Plan): Promise<ReconcileResult> {
  const { inputs } = step;
  switch (plan.do) {
    case 'nothing':
      if (plan.wakeBy === 'gate') park(step);
      return { requeueAt: plan.requeueAt };
    case 'report':
      return report(step, plan);
    case 'wait':
      return { requeueAfterMs: plan.quietAt - inputs.monotonic };
    case 'issue':
      return issueFor(step, plan.why);
    case 'publish':
      return publish(step, plan);
    case 'refuse':
      return refuse(step, plan);
    case 'keep':
      return keep(step, plan.certificate);
    case 'adopt':
      return adopt(step, plan);
    case 'recordUncertain':
      return recordUncertain(step);
    case 'syncSecret':
    case 'updateStatus':
      return repairStatus(step, plan);
    case 'forget':
      return forget(step);
    default:
      return plan satisfies never;
  }
}

function issueFor(step: Step, why: Reason): Promise<ReconcileResult> {
  const { deps, inputs, log } = step;
  const { account, certificate } = inputs;
  if (!account?.ready) throw new TerminalError('AccountNotReady', 'The account is not ready.');
  const work = { ...step, account: account.issuer };
  log.info({ reason: why.reason }, 'Asking CAcert for a certificate');
  return REPAIRS.has(why.reason) ? repair(deps, certificate, () => issue(work, why)) : issue(work, why);
}

/** Reports a blocker in the conditions, and also by an event if nothing else reports it. */
async function report(
  step: Step,
  { why, conditions, awaits, requeueAt, wakeBy }: Extract<Plan, { do: 'report' }>,
): Promise<ReconcileResult> {
  const { deps, inputs, signal } = step;
  const isReportedElsewhere = REPORTED_ELSEWHERE.has(why.reason);
  const reported = await reportBlocker(
    deps,
    inputs.certificate,
    { ...why, awaits, isReportedElsewhere },
    conditions,
    signal,
  );
  if (wakeBy === 'gate') park(step);
  return { requeueAt, ...reported };
}

/** Records that the outcome of an attempt is unknown. The next attempt comes only after a long wait. */
async function recordUncertain({ deps, inputs, view, signal }: Step): Promise<ReconcileResult> {
  const { certificate, now, attempt, pending } = inputs;
  if (!attempt) throw new TerminalError('NoAttempt', 'There is no attempt to record as uncertain.');
  const secretName = pendingSecretRef(certificate).name;
  const { why, leastMs } =
    pending.state === 'present' ? uncertain(certificate, { secretName }) : keyLost({ secretName });
  const { change, requeueAfterMs = 0 } = afterFailure(certificate, now, why, { leastMs });
  await deps.statuses.write({
    certificate,
    change: { ...change, ...unservedAfter(inputs, 'Uncertain') },
    conditions: failedConditions(inputs, why),
    signal,
  });
  endAttempt(deps, view, certificate, attempt);
  deps.metrics.issuances.inc({ outcome: 'uncertain' });
  deps.warn(certificate, why.reason, why.message);
  return { requeueAfterMs, requeueAt: servedUntil(inputs) };
}

/**
 * Completes a Secret that changed, and brings status up to date. That waits for an account to check the chain with: a ready
 * account wakes the certificate.
 */
async function repairStatus(
  step: Step,
  plan: Extract<Plan, { do: 'syncSecret' | 'updateStatus' }>,
): Promise<ReconcileResult> {
  const { deps, inputs } = step;
  if (inputs.secret.state === 'changed' && !inputs.account?.ready) return {};
  if (plan.do === 'updateStatus') return updateStatus(step);
  return repair(deps, inputs.certificate, () => syncSecret(step, plan.source));
}

/** Brings status up to date after a change that needs no certificate. */
async function updateStatus({ deps, inputs, signal }: Step, stored?: Stored): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const { change, conditions, removed } = upToDateStatus(inputs, settledCondition(inputs));
  const altered = afterStored(deps, inputs, stored);
  await deps.statuses.write({
    certificate,
    change: { ...change, ...altered.change },
    conditions: [...conditions, ...altered.conditions],
    removed: altered.conditions.length > 0 ? [] : removed,
    signal,
  });
  return { ...altered.result, requeueAt: nextReconcileAt(inputs) };
}

/** Writes what a Secret lacks whose content is the present certificate, and then the status. */
async function syncSecret(step: Step, source: SecretSource | undefined): Promise<ReconcileResult> {
  const { deps, inputs, signal } = step;
  const { certificate, secret } = inputs;
  if (secret.state !== 'changed') return {};
  const wanted = cacertKind.metadataOf(certificate);
  const stored = await deps.certificateSecrets.sync(certificate, secret, wanted, source, signal);
  const { metadata } = stored;
  const present = { ...inputs, secret: { ...secret, metadata, hasOutputs: true, hasMetadata: true } };
  return updateStatus({ ...step, inputs: present }, stored);
}

/** Stores a signed certificate beside its key. */
async function keep({ deps, inputs, signal }: Step, pem: string): Promise<ReconcileResult> {
  const { certificate, pending } = inputs;
  if (pending.state === 'present') await deps.pendingKeys.keepCertificate(certificate, pending, pem, signal);
  return { requeueAfterMs: DECIDE_AGAIN_MS };
}

/** Deletes the Secret of a pending key once the certificate's own Secret holds that key. Status alone does not prove that. */
async function forget(step: Step): Promise<ReconcileResult> {
  const { deps, inputs, signal } = step;
  const { certificate, pending } = inputs;
  if (pending.state !== 'present') return {};
  const view = await deps.certificateSecrets.read(certificate, signal);
  const content = view.state === 'changed' ? view.content : undefined;
  const isServed = pending.key !== undefined && content?.leaf.rawPublicKey.equals(pending.key.toPublicKey());
  if (!isServed) {
    return isUpToDate(inputs, settledCondition(inputs))
      ? { requeueAt: nextReconcileAt(inputs) }
      : updateStatus(step);
  }
  await deps.pendingKeys.forget(certificate, pending, signal);
  failpoint('forget');
  return { requeueAfterMs: DECIDE_AGAIN_MS };
}

function park({ deps, inputs }: Step): void {
  const { account } = inputs;
  if (account?.ready) account.issuer.account.gate.park(ticketOf(deps, inputs));
}
