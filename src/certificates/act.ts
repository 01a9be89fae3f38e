import { heldCertificate } from '../issuance/inspect.ts';
import type { ReadyIssuer } from '../issuance/issuer-directory.ts';
import type { ReconcileContext, ReconcileResult } from '../kube/controller.ts';
import { secrets } from '../kube/objects.ts';
import { TerminalError } from '../lib/errors.ts';
import { readCertificate } from '../x509/certificate.ts';
import { conclude } from './conclude.ts';
import { obstructed, type Plan } from './decide.ts';
import type { Deps } from './deps.ts';
import { afterFailedLook } from './failure.ts';
import { follow } from './follow.ts';
import { secretRef } from './gather.ts';
import { firstObstacle } from './guards.ts';
import type { Inputs, Reason } from './inputs.ts';
import { issue, type Order } from './issue.ts';
import { OUTSIDE_WINDOW } from './needs.ts';
import { noteStatus } from './observed.ts';
import { isOutdated, MADE_AGAIN, REQUEST_CHANGED } from './open-attempt.ts';
import { recordConditions } from './record.ts';
import { recover } from './recover.ts';
import { relabel, settle } from './settle.ts';
import { isWithheld } from './standing.ts';

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
  try {
    return await carryOut(deps, inputs, plan, context);
  } catch (error) {
    if (!inputs.issuer?.ready) throw error;
    return afterFailedLook(deps, inputs, inputs.issuer.issuer, error, context.signal);
  }
}

async function carryOut(
  deps: Deps,
  inputs: Inputs,
  plan: Plan,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const { signal, log } = context;
  switch (plan.do) {
    case 'nothing':
      return at(plan.requeueAt);
    case 'report':
      return reportObstacle(deps, inputs, plan, signal);
    case 'wait':
      if (plan.conditions) await recordConditions(deps, { certificate, conditions: plan.conditions, signal });
      return { requeueAfterMs: plan.quietAt - inputs.monotonic };
    case 'settle':
      return settle(deps, inputs, signal);
    case 'relabel':
      return relabel(deps, inputs, signal);
    case 'issue':
      log.info({ operation: plan.operation, reason: plan.why.reason }, 'Asking for a certificate');
      tellOutsideWindow(deps, certificate, plan.why);
      return issue(deps, inputs, issuerOf(inputs), await orderOf(deps, inputs, plan, signal), signal);
    case 'resume':
      return conclude(
        deps,
        inputs,
        issuerOf(inputs),
        { certificateId: plan.certificateId, outcome: 'success' },
        signal,
      );
    case 'republish':
      log.info({ reason: plan.why.reason }, 'Fetching the certificate again');
      return conclude(
        deps,
        inputs,
        issuerOf(inputs),
        { certificateId: ownId(inputs), outcome: 'republished' },
        signal,
      );
    case 'observe':
      return noteStatus(deps, inputs, plan.to, context);
    case 'follow':
      return follow(deps, inputs, issuerOf(inputs), plan.candidates, context);
    case 'recover':
      return afterRecovery(deps, inputs, context);
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

/** Says what is in the way. Where it is the resource's own, and not its issuer's, somebody is told by an event too. */
async function reportObstacle(
  deps: Deps,
  { certificate }: Inputs,
  { conditions, why, requeueAt }: Extract<Plan, { do: 'report' }>,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const written = await recordConditions(deps, { certificate, conditions, signal });
  if (written !== certificate && !SAID_ELSEWHERE.has(why.reason))
    deps.warn(certificate, why.reason, why.message);
  return at(requeueAt);
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
    deps.attempts.bought(attempt.id, inputs.monotonic, verdict.adopt);
  }
  const order: Order = isLate
    ? { operation: 'New', why: REQUEST_CHANGED, ...('adopt' in verdict ? { givesUp: verdict.adopt } : {}) }
    : await orderOf(
        deps,
        inputs,
        { operation: 'again' in verdict ? verdict.again : 'New', why: MADE_AGAIN },
        signal,
      );
  const obstacle = firstObstacle(inputs, {
    remedy: order.operation === 'New' ? 'issue' : 'renew',
    ...order.why,
  });
  if (obstacle) {
    if ('again' in verdict) deps.attempts.fruitless(attempt.id, inputs.monotonic);
    const reported = await reportObstacle(deps, inputs, obstructed(inputs, obstacle), signal);
    // What had to wait for the attempt goes on.
    return isWithheld(inputs.certificate) ? { ...reported, requeueAfterMs: LOOK_AGAIN_MS } : reported;
  }
  if ('giving' in verdict) await deps.records.give(inputs.issuerKey, verdict.giving, signal);
  return issue(deps, inputs, issuer, order, signal);
}

/**
 * A reissue gives whoever holds the Secret the key of the certificate that status names, so that an unsealed status has
 * to be proved first: the Secret holds the same public key. Without proof a new key is asked for.
 */
async function orderOf(deps: Deps, inputs: Inputs, order: Order, signal: AbortSignal): Promise<Order> {
  if (order.operation === 'New' || inputs.sealed !== false) return order;
  const secret = await deps.kube.find(secrets, secretRef(inputs.certificate), { signal });
  const held = secret && heldCertificate(secret);
  if (!held || inputs.certificate.status?.certificateId === undefined) return { ...order, operation: 'New' };
  const pem = await issuerOf(inputs).account.client.getCertificate(ownId(inputs), 'cert', { signal });
  const isProved = readCertificate(pem).publicKeyFingerprint === held.leaf.publicKeyFingerprint;
  return { ...order, operation: isProved ? 'Reissue' : 'New' };
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

function at(requeueAt: number | undefined): ReconcileResult {
  return requeueAt === undefined ? {} : { requeueAt };
}
