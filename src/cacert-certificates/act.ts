import { afterFailure } from '../issuance/attempt/retry-backoff.ts';
import { cacertKind } from '../issuance/cacert/kind.ts';
import { ticketOf } from '../issuance/decide/gate-turn.ts';
import { isUpToDate, upToDateStatus } from '../issuance/decide/up-to-date.ts';
import { lookAgainAt } from '../issuance/renewal/plan.ts';
import { repair, reportBlocker } from '../issuance/status/rate-limit.ts';
import type { ReconcileContext, ReconcileResult } from '../kube/controller/controller.ts';
import { TerminalError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { type Plan, failedConditions, servedUntil, settledCondition } from './decide.ts';
import type { Deps } from './deps.ts';
import type { Inputs } from './inputs.ts';
import { issue } from './issue.ts';
import { uncertain } from './messages.ts';
import { publish, refuse, takeUp } from './publish.ts';

/** What the account's own events say, and what the spec itself asks for. */
const SAID_ELSEWHERE: ReadonlySet<string> = new Set(['AccountNotReady', 'Suspended']);

/** What was found out is decided on anew. */
const LOOK_AGAIN_MS = 200;

/** Carries a plan out. Every step is safe to die after. */
export async function act(
  deps: Deps,
  inputs: Inputs,
  plan: Plan,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const { signal, log } = context;
  switch (plan.do) {
    case 'nothing':
      if (plan.wakeBy === 'gate') park(deps, inputs);
      return { requeueAt: plan.requeueAt };
    case 'report':
      return report(deps, inputs, plan, signal);
    case 'wait':
      return { requeueAfterMs: plan.quietAt - inputs.monotonic };
    case 'issue':
      log.info({ reason: plan.why.reason }, 'Asking CAcert for a certificate');
      return plan.why.reason === 'SecretMismatch' || plan.why.reason === 'SecretMissing'
        ? repair(deps, certificate, () => issue(deps, inputs, plan.why, context))
        : issue(deps, inputs, plan.why, context);
    case 'publish':
      return publish(deps, inputs, plan, signal);
    case 'refuse':
      return refuse(deps, inputs, plan, signal);
    case 'keep':
      return keep(deps, inputs, plan.certificate, signal);
    case 'takeUp':
      return takeUp(deps, inputs, signal);
    case 'doubt':
      return doubt(deps, inputs, signal);
    case 'relabel':
      return repair(deps, certificate, () => relabel(deps, inputs, signal));
    case 'settle':
      return settle(deps, inputs, signal);
    case 'forget':
      return forget(deps, inputs, signal);
    default:
      return plan satisfies never;
  }
}

/** Says what is in the way. Where it is the resource's own, and not its account's, somebody is told by an event too. */
async function report(
  deps: Deps,
  inputs: Inputs,
  { why, conditions, requeueAt, wakeBy }: Extract<Plan, { do: 'report' }>,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const isSaidElsewhere = SAID_ELSEWHERE.has(why.reason);
  const said = await reportBlocker(deps, inputs.certificate, { ...why, isSaidElsewhere }, conditions, signal);
  if (wakeBy === 'gate') park(deps, inputs);
  return { requeueAt, ...said };
}

/** Nobody knows whether an attempt bought anything. It is said, and asked again only after a long while. */
async function doubt(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate, now } = inputs;
  const { attempt } = certificate.status ?? {};
  if (!attempt) throw new TerminalError('NoAttempt', 'There is no attempt to doubt.');
  const { why, leastMs } = uncertain(certificate, attempt);
  const { change, requeueAfterMs = 0 } = afterFailure(certificate, now, { leastMs });
  await deps.statuses.write({
    certificate,
    change: { ...change, attempt: { ...attempt, outcome: 'Uncertain' } },
    conditions: failedConditions(inputs, why),
    signal,
  });
  deps.attempts.forget(attempt.id);
  deps.metrics.issuances.inc({ outcome: 'uncertain' });
  deps.warn(certificate, why.reason, why.message);
  return { requeueAfterMs, requeueAt: servedUntil(inputs) };
}

/** Status says how things stand, after a change that needs no certificate. */
async function settle(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate } = inputs;
  await deps.statuses.write({ certificate, ...upToDateStatus(inputs, settledCondition(inputs)), signal });
  return { requeueAt: lookAgainAt(inputs) };
}

/** Puts labels and annotations back on a Secret whose content is sound. */
async function relabel(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate, secret } = inputs;
  if (secret.state !== 'changed') return {};
  const wanted = cacertKind.metadataOf(certificate);
  const metadata = await deps.certificateSecrets.keepMetadata(certificate, secret, wanted, signal);
  return settle(deps, { ...inputs, secret: { ...secret, metadata } }, signal);
}

/** Stores what was signed beside its key. */
async function keep(deps: Deps, inputs: Inputs, pem: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate, pending } = inputs;
  if (pending.state === 'present') await deps.pendingKeys.keepCertificate(certificate, pending, pem, signal);
  return { requeueAfterMs: LOOK_AGAIN_MS };
}

/** Removes the Secret that kept a key, once the certificate's own Secret has it: status alone is no proof of that. */
async function forget(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate, pending } = inputs;
  if (pending.state !== 'present') return {};
  const view = await deps.certificateSecrets.read(certificate, signal);
  const held = view.state === 'changed' ? view.held : undefined;
  const isServed = pending.key !== undefined && held?.leaf.rawPublicKey.equals(pending.key.toPublicKey());
  if (!isServed) {
    return isUpToDate(inputs, settledCondition(inputs))
      ? { requeueAt: lookAgainAt(inputs) }
      : settle(deps, inputs, signal);
  }
  await deps.pendingKeys.forget(certificate, pending, signal);
  failpoint('forget');
  return { requeueAfterMs: LOOK_AGAIN_MS };
}

function park(deps: Deps, inputs: Inputs): void {
  const { account } = inputs;
  if (account?.ready) account.issuer.account.gate.park(ticketOf(deps, inputs));
}
