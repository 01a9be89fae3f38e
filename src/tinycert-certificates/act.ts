import { ticketOf } from '../issuance/decide/gate-turn.ts';
import { repair, reportBlocker } from '../issuance/status/rate-limit.ts';
import type { ReadyIssuer } from '../issuance/tinycert/issuer-directory.ts';
import type { ReconcileContext, ReconcileResult } from '../kube/controller/controller.ts';
import { TerminalError } from '../lib/errors.ts';
import type { Reason } from '../lib/reason.ts';
import type { Deps } from './context/deps.ts';
import type { Publication, Inputs } from './context/inputs.ts';
import { wantsHoldOrRevoked } from './decide/desired-status.ts';
import { OUTSIDE_WINDOW, nextNeed } from './decide/needs.ts';
import { MADE_AGAIN, REQUEST_CHANGED, isOutdated } from './decide/open-attempt.ts';
import { type Plan, failedConditions, blockedPlan, planOf } from './decide/plan.ts';
import { SEAL_BROKEN, firstBlocker } from './decide/preconditions.ts';
import { follow } from './issue/adopt-reissued.ts';
import { atGate } from './issue/at-gate.ts';
import { afterFailedLook } from './issue/failure.ts';
import { type Order, issue } from './issue/issue.ts';
import { conclude } from './issue/publish.ts';
import { recover } from './recovery/recover.ts';
import { takeUp } from './secret/adopt.ts';
import { assertRead } from './secret/proven-id.ts';
import { isGenuine, relabel, settle } from './secret/sync-metadata.ts';
import { recordCaStatus } from './status/record-ca-status.ts';
import { record } from './status/record.ts';

/** What the issuer's own events say, and what the spec itself asks for. */
const SAID_ELSEWHERE: ReadonlySet<string> = new Set(['IssuerNotReady', 'Suspended', 'OnHold', 'Revoked']);

/** What was found out is decided on anew. */
const LOOK_AGAIN_MS = 200;

/** Carries a plan out. Every step is safe to die after. */
export async function act(
  deps: Deps,
  inputs: Inputs,
  plan: Plan,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { issuer } = inputs;
  try {
    return await carryOut(deps, inputs, plan, context);
  } catch (error) {
    if (!issuer?.ready) throw error;
    return afterFailedLook(deps, inputs, issuer.issuer, error, context.signal);
  }
}

async function carryOut(
  deps: Deps,
  inputs: Inputs,
  plan: Plan,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { signal, log } = context;
  switch (plan.do) {
    case 'nothing':
      if (plan.isQueued) issuerOf(inputs).account.gate.park(ticketOf(deps, inputs));
      return { requeueAt: plan.requeueAt };
    case 'report':
      return reportObstacle(deps, inputs, plan, signal);
    case 'wait':
      return waitUntilQuiet(deps, inputs, plan, signal);
    case 'settle':
    case 'relabel': {
      const isSound = await isGenuine(inputs);
      if (isSound === undefined) return {};
      if (!isSound)
        return repair(deps, inputs.certificate, () => republish(deps, holdingNothing(inputs), signal));
      const write = plan.do === 'settle' ? settle : relabel;
      if (inputs.secret.state !== 'changed') return write(deps, inputs, signal);
      return repair(deps, inputs.certificate, () => write(deps, inputs, signal));
    }
    case 'takeUp':
      await assertRead(deps, inputs, signal);
      return takeUpOr(deps, inputs, context);
    case 'issue':
      await assertRead(deps, inputs, signal);
      log.info({ operation: plan.operation, reason: plan.why.reason }, 'Asking for a certificate');
      tellOutsideWindow(deps, inputs.certificate, plan.why);
      return issue(deps, inputs, issuerOf(inputs), orderOf(inputs, plan), signal);
    case 'resume':
      return fetchAgain(deps, inputs, { certificateId: plan.certificateId, outcome: 'success' }, signal);
    case 'republish':
      return repair(deps, inputs.certificate, () => {
        log.info({ reason: plan.why.reason }, 'Fetching the certificate again');
        return republish(deps, inputs, signal);
      });
    case 'observe':
      return recordCaStatus(deps, inputs, plan.to, context);
    case 'follow':
      return follow(deps, inputs, issuerOf(inputs), plan.candidates, context);
    case 'recover':
      return afterRecovery(deps, inputs, context);
    case 'close':
      return closeAttempt(deps, inputs, plan.givesUp, signal);
    default:
      return plan satisfies never;
  }
}

/** A renewal at an hour that nobody wanted is told by an event, once and not with every try. */
function tellOutsideWindow(deps: Deps, certificate: Inputs['certificate'], why: Reason): void {
  const { failedAttempts, attempt } = certificate.status ?? {};
  const isTold = failedAttempts !== undefined && attempt?.reason === OUTSIDE_WINDOW;
  if (why.reason === OUTSIDE_WINDOW && !isTold) deps.warn(certificate, why.reason, why.message);
}

/** Fetches a certificate that exists at the CA. */
function fetchAgain(
  deps: Deps,
  inputs: Inputs,
  conclusion: Publication,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const issuer = issuerOf(inputs);
  return atGate(deps, inputs, issuer, signal, (present) =>
    conclude(deps, present, issuer, conclusion, signal),
  );
}

/**
 * Nothing can be looked up yet. While the account is on trial this is one of those who wait for it to be well; if it still is
 * by then, the certificate says so.
 */
async function waitUntilQuiet(
  deps: Deps,
  inputs: Inputs,
  { quietAt, conditions }: Extract<Plan, { do: 'wait' }>,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  if (conditions) await deps.statuses.writeNews({ certificate, conditions, signal });
  const ms = quietAt - inputs.monotonic;
  if (inputs.turn.onTrial) issuerOf(inputs).account.gate.park(ticketOf(deps, inputs), ms);
  return { requeueAfterMs: ms };
}

/** Says what is in the way. Where it is the resource's own, and not its issuer's, somebody is told by an event too. */
async function reportObstacle(
  deps: Deps,
  inputs: Inputs,
  { conditions, why, requeueAt, isQueued }: Extract<Plan, { do: 'report' }>,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const said = await reportBlocker(
    deps,
    inputs.certificate,
    { ...why, isSaidElsewhere: SAID_ELSEWHERE.has(why.reason) },
    conditions,
    signal,
  );
  if (isQueued) issuerOf(inputs).account.gate.park(ticketOf(deps, inputs));
  return { requeueAt, ...said };
}

async function afterRecovery(
  deps: Deps,
  inputs: Inputs,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { signal, log } = context;
  const issuer = issuerOf(inputs);
  const attempt = inputs.certificate.status?.attempt;
  if (!attempt) throw new TerminalError('NoAttempt', 'There is no attempt to recover.');
  const verdict = await recover(deps, inputs, issuer, attempt, context);
  log.info({ attempt: attempt.id, verdict }, 'Found out what came of an attempt');
  const isLate = isOutdated(attempt, inputs);
  if ('adopt' in verdict) {
    if (!isLate)
      return conclude(deps, inputs, issuer, { certificateId: verdict.adopt, outcome: 'adopted' }, signal);
    // It is decided anew what to do, now that it is known what is given up.
    deps.attempts.bought(attempt.id, inputs.monotonic, verdict.adopt);
    return { requeueAfterMs: 0 };
  }
  // What was wanted then may be wanted no more: a spec changed back, a certificate revoked, renewals disabled.
  const asBefore = isLate || verdict.again === 'New' ? 'issue' : 'renew';
  const remedy = inputs.sealed === false ? asBefore : nextNeed(inputs)?.remedy;
  const why = isLate ? REQUEST_CHANGED : MADE_AGAIN;
  const isWanted = remedy === 'issue' || remedy === 'renew';
  const obstacle = isWanted ? firstBlocker(inputs, { remedy, ...why }) : undefined;
  if (obstacle) {
    deps.attempts.fruitless(attempt.id, inputs.monotonic);
    const reported = await reportObstacle(deps, inputs, blockedPlan(inputs, obstacle), signal);
    // What had to wait for the attempt goes on.
    return wantsHoldOrRevoked(inputs.certificate) ? { ...reported, requeueAfterMs: LOOK_AGAIN_MS } : reported;
  }
  if (verdict.giving) await deps.releasedStore.add(inputs.issuerKey, verdict.giving, signal);
  if (!isWanted) return closeAttempt(deps, inputs, undefined, signal);
  const operation = remedy === 'renew' ? verdict.again : 'New';
  return issue(deps, inputs, issuer, orderOf(inputs, { operation, why }), signal);
}

/** Ends an attempt after which nothing is to be bought. */
async function closeAttempt(
  deps: Deps,
  inputs: Inputs,
  givesUp: number | undefined,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const { attempt } = certificate.status ?? {};
  if (!attempt || !inputs.sealed) throw new TerminalError('NoAttempt', 'There is no attempt to close.');
  const change = { attempt: { ...attempt, outcome: 'Abandoned' as const } };
  await record(deps, { certificate, change, givesUp, sealer: issuerOf(inputs).account, signal });
  deps.attempts.forget(attempt.id);
  return { requeueAfterMs: 0 };
}

/** Goes by what the Secret proves, as it is now; without proof things are as status has them. */
async function takeUpOr(deps: Deps, inputs: Inputs, context: ReconcileContext): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const secret =
    inputs.secret.state === 'unchanged'
      ? await deps.certificateSecrets.read(certificate, context.signal)
      : inputs.secret;
  const looked = { ...inputs, secret };
  const found = await takeUp(deps, looked, issuerOf(inputs), context);
  if ('result' in found) return found.result;
  const plan = planOf(looked);
  const { givesUp } = found;
  // Once the Secret holds another one, nothing else tells that there was this.
  const isLeft = givesUp !== undefined && plan.do === 'issue';
  return carryOut(deps, looked, isLeft ? { ...plan, givesUp } : plan, context);
}

/** What the Secret holds is worth nothing. */
function holdingNothing(inputs: Inputs): Inputs {
  const { secret } = inputs;
  return secret.state === 'changed' ? { ...inputs, secret: { ...secret, held: undefined } } : inputs;
}

/** Brings the certificate that the resource has into its Secret again; never on the word of an unsealed status. */
async function republish(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  if (inputs.sealed === false) {
    const conditions = failedConditions(inputs, SEAL_BROKEN);
    return reportObstacle(deps, inputs, { do: 'report', why: SEAL_BROKEN, conditions }, signal);
  }
  return fetchAgain(deps, inputs, { certificateId: ownId(inputs), outcome: 'republished' }, signal);
}

/**
 * A reissue gives whoever holds the Secret the key of the certificate that status names, so that on the word of an unsealed
 * status, which the Secret did not prove, a new key is asked for.
 */
function orderOf({ sealed }: Inputs, order: Order): Order {
  return sealed === false ? { ...order, operation: 'New' } : order;
}

/** The guards let nothing through to here without a ready issuer. */
function issuerOf({ issuer }: Inputs): ReadyIssuer {
  if (!issuer?.ready) throw new TerminalError('IssuerNotReady', 'The issuer is not ready.');
  return issuer.issuer;
}

function ownId({ certificate }: Inputs): number {
  const id = certificate.status?.certificateId;
  if (id === undefined) throw new TerminalError('NoCertificate', 'There is no certificate to fetch.');
  return id;
}
