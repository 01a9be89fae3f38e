import { type CertificateRef, certificateRef, isSameCertificate } from '../api/tinycert/identity.ts';
import { attemptOwner, type OpenAttempt } from '../issuance/tinycert/attempt.ts';
import { released } from '../issuance/tinycert/records.ts';
import { mayBeSealed } from '../issuance/tinycert/seal.ts';
import type { Recording } from '../journal/group.ts';
import { ticketOf } from '../issuance/decide/gate-turn.ts';
import { paced, repair, reportBlocker } from '../issuance/status/rate-limit.ts';
import { nextReconcileAt } from '../issuance/renewal/plan.ts';
import { isSecretRefused } from '../issuance/secret/not-written.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import { TerminalError } from '../lib/errors.ts';
import type { Reason } from '../lib/reason.ts';
import { endAttempt } from './context/attempts.ts';
import { DECIDE_AGAIN_MS, type Task, type Work, withInputs, workOf } from './context/work.ts';
import { decideAfterAdoption } from './decide/after-adoption.ts';
import { decideAfterRecovery } from './decide/after-recovery.ts';
import { OUTSIDE_WINDOW } from './decide/needs.ts';
import { reportOf } from './decide/plan.ts';
import { SEAL_BROKEN } from './decide/preconditions.ts';
import type { Plan, Publication } from './decide/types.ts';
import { adoptReissued } from './issue/adopt-reissued.ts';
import { atGate } from './issue/at-gate.ts';
import { AnswersDoubted } from './issue/doubt.ts';
import { afterFailedRead, afterFailedSync, backOff } from './issue/failure.ts';
import { issue } from './issue/issue.ts';
import { publish, takeHeld } from './issue/publish.ts';
import { makeWay } from './recovery/give-up.ts';
import { lookForLoss } from './recovery/loss-sign.ts';
import { recover } from './recovery/recover.ts';
import { adopt } from './secret/adopt.ts';
import { assertRead } from './secret/proven-id.ts';
import { isGenuine, repairSecret, updateStatus } from './secret/sync-secret.ts';
import { recordCaStatus } from './status/record-ca-status.ts';
import { record } from './status/record.ts';

/** Blockers that the issuer's own events report, or that the spec itself asks for. */
const REPORTED_ELSEWHERE: ReadonlySet<string> = new Set(['IssuerNotReady', 'Suspended', 'OnHold', 'Revoked']);

/**
 * Executes a plan. The process may die after every step. A fault of the issuer is reported and waited for, and a Secret that
 * the API server refuses is reported and tried again.
 */
export async function act(task: Task, plan: Plan): Promise<ReconcileResult> {
  try {
    return await execute(task, plan);
  } catch (error) {
    if (isSecretRefused(error)) return afterFailedSync(task, error);
    if (!task.inputs.issuer?.ready || !task.view) throw error;
    return afterFailedRead(workOf(task), error);
  }
}

async function execute(task: Task, plan: Plan): Promise<ReconcileResult> {
  const { deps, inputs, log } = task;
  switch (plan.do) {
    case 'nothing':
      if (plan.wakeBy === 'gate') park(workOf(task));
      return { requeueAt: plan.requeueAt };
    case 'report':
      return report(task, plan);
    case 'wait':
      return wait(task, plan);
    case 'updateStatus':
    case 'syncSecret':
      return repairStatus(task, plan.do);
    case 'reseal':
      return reseal(workOf(task));
    case 'adopt':
      await assertRead(task);
      return adoptOrElse(workOf(task));
    case 'issue':
      await assertRead(task);
      // Every request needs it. After the wait for it all guards are asked again.
      if (await hadToWait(workOf(task))) return { requeueAfterMs: 0 };
      log.info({ operation: plan.operation, reason: plan.why.reason }, 'Requesting a certificate');
      warnOutsideWindow(task, plan.why);
      return issue(workOf(task), plan);
    case 'lookForLoss':
      await lookForLoss(workOf(task));
      return { requeueAfterMs: 0 };
    case 'resume':
      return paced(deps, inputs.certificate, () =>
        fetchAgain(task, { certificate: plan.bought, outcome: 'success' }),
      );
    case 'republish':
      return repair(deps, inputs.certificate, () => {
        log.info({ reason: plan.why.reason }, 'Fetching the certificate again');
        return republish(task);
      });
    case 'recordCaStatus':
      return recordCaStatus(task, plan.to);
    case 'adoptReissued':
      return adoptReissued(workOf(task), plan.candidates);
    case 'take':
      return takeOrClose(workOf(task), plan.bought);
    case 'recover':
      return recoverAndGoOn(workOf(task));
    case 'close':
      return closeAttempt(workOf(task), { givesUp: plan.givesUp, records: [] });
    default:
      return plan satisfies never;
  }
}

/** Fetches what is needed of the authority, unless it is known. Rejects with a `TinyCertError` or an `X509Error`. */
async function hadToWait({ issuer }: Work): Promise<boolean> {
  if (issuer.hasMaterial()) return false;
  await issuer.material();
  return true;
}

/** Reports a blocker in the conditions, and by an event unless it is reported elsewhere. */
async function report(
  task: Task,
  { conditions, why, awaits, change, requeueAt, wakeBy }: Extract<Plan, { do: 'report' }>,
): Promise<ReconcileResult> {
  const { deps, inputs, view, signal } = task;
  const { attempt: open } = inputs;
  // One that counts answers in doubt may never be concluded, whatever else its resource waits for.
  if (open && view && (wakeBy === undefined || open.attempt.doubts !== undefined))
    await makeWay({ deps, inputs, view }, open);
  const blocker = { ...why, awaits, change, isReportedElsewhere: REPORTED_ELSEWHERE.has(why.reason) };
  const limited = await reportBlocker(deps, inputs.certificate, blocker, conditions, signal);
  if (wakeBy === 'gate') park(workOf(task));
  return { requeueAt, ...limited };
}

/** Waits until an attempt can have no further effect. During a trial it waits at the gate too, for its turn to report. */
async function wait(
  task: Task,
  { quietAt, conditions, onlyFirst }: Extract<Plan, { do: 'wait' }>,
): Promise<ReconcileResult> {
  const { deps, inputs, signal } = task;
  const { certificate } = inputs;
  if (conditions) {
    const update = { certificate, conditions, signal };
    await (onlyFirst ? deps.statuses.writeFirst(update) : deps.statuses.writeNews(update));
  }
  const ms = quietAt - inputs.monotonic;
  if (inputs.turn.phase !== 'open') park(workOf(task), ms);
  return { requeueAfterMs: ms };
}

/** After a change of the Secret: checks that the authority signed its content, then completes the Secret if it lacks something, and updates status. */
async function repairStatus(task: Task, what: 'updateStatus' | 'syncSecret'): Promise<ReconcileResult> {
  const { deps, inputs } = task;
  const { certificate, secret } = inputs;
  const isSound = await isGenuine(inputs);
  if (isSound === undefined) return {};
  if (!isSound) return repair(deps, certificate, () => republish(withoutContent(task)));
  const write = what === 'updateStatus' ? updateStatus : repairSecret;
  return secret.state === 'changed' ? repair(deps, certificate, () => write(task)) : write(task);
}

/** Seals status again as it is. */
async function reseal({ deps, inputs, issuer, signal }: Work): Promise<ReconcileResult> {
  const { certificate } = inputs;
  await record(deps, { certificate, sealer: issuer.account, signal });
  return { requeueAt: nextReconcileAt(inputs) };
}

/** Adopts what the Secret proves, as it is now. Without proof, status decides. */
async function adoptOrElse(work: Work): Promise<ReconcileResult> {
  const { deps, inputs, signal } = work;
  const secret =
    inputs.secret.state === 'unchanged'
      ? await deps.certificateSecrets.read(inputs.certificate, signal)
      : inputs.secret;
  const present = withInputs(work, { secret });
  const adoption = await adopt(present);
  if ('result' in adoption) return adoption.result;
  return execute(present, decideAfterAdoption(present.inputs, adoption.givesUp));
}

/** Recovers an open attempt, and continues as `decideAfterRecovery` decides. */
async function recoverAndGoOn(work: Work): Promise<ReconcileResult> {
  const { deps, inputs, view } = work;
  const { attempt: open } = inputs;
  if (!open) throw new TerminalError('NoAttempt', 'There is no attempt to recover.');
  const owner = ownerOf(work, open);
  const { verdict, records, isProved = false, boughtNothing = false } = await recover(work, open);
  const next = decideAfterRecovery(inputs, open.attempt, verdict);
  switch (next.do) {
    case 'publish':
      return publish(work, { certificate: next.certificate, outcome: 'adopted', records });
    case 'remember':
      if (!isProved && !isSameCertificate(next.certificate, inputs.certificate.status)) {
        const all = [...records, ...likely(work, open, next.certificate)];
        return closeAttempt(work, { givesUp: undefined, records: all });
      }
      if (records.length > 0) await view.record(owner, records);
      deps.attempts.bought(owner, open.id, deps.clock.monotonic(), next.certificate);
      return { requeueAfterMs: 0 };
    case 'report': {
      deps.attempts.fruitless(owner, open.id, deps.clock.monotonic());
      const reported = await report(work, next.report);
      return next.again ? { ...reported, requeueAfterMs: DECIDE_AGAIN_MS } : reported;
    }
    case 'giveUp':
      deps.attempts.fruitless(owner, open.id, deps.clock.monotonic());
      await makeWay({ deps, inputs, view }, open);
      return backOff(work, new AnswersDoubted(next.operation), {});
    case 'close':
      return closeAttempt(work, { givesUp: undefined, records });
    case 'issue':
      return issue(work, { ...next, records, boughtNothing });
    default:
      return next satisfies never;
  }
}

/**
 * Ends an attempt of which nothing is wanted any more. What it bought becomes a former certificate of the resource, so that
 * `onDelete` applies to it; or, where the seal of the status is broken, an orphan on record: a new seal would drop what status names.
 */
async function closeAttempt(
  work: Work,
  { givesUp, records }: { givesUp: CertificateRef | undefined; records: readonly Recording[] },
): Promise<ReconcileResult> {
  const { deps, inputs, issuer, view, signal } = work;
  const { certificate, sealed, attempt: open } = inputs;
  if (!open) throw new TerminalError('NoAttempt', 'There is no attempt to close.');
  const isKept = mayBeSealed(sealed, certificate.status);
  if (givesUp && isKept) await record(deps, { certificate, givesUp, sealer: issuer.account, signal });
  const orphan = givesUp && !isKept ? [givesUp] : [];
  endAttempt(deps, view, ownerOf(work, open), open.id, [
    ...records,
    ...released(view, orphan, { issuer: open.attempt.issuer, cause: 'Undecided' }),
  ]);
  return { requeueAfterMs: 0 };
}

/** Takes what the Secret holds into status. Without proof it becomes a former certificate. */
async function takeOrClose(work: Work, bought: CertificateRef): Promise<ReconcileResult> {
  const taken = await takeHeld(work, bought);
  return taken ?? closeAttempt(work, { givesUp: bought, records: [] });
}

/** What an attempt is likely to have bought, and nothing proves: a person may have, so nobody revokes it (`unmarkedKept`). */
function likely({ view }: Work, { attempt: { issuer } }: OpenAttempt, bought: CertificateRef): Recording[] {
  return released(view, [bought], { issuer, cause: 'Undecided' });
}

function ownerOf({ inputs }: Pick<Task, 'inputs'>, { attempt }: OpenAttempt): string {
  return attemptOwner(inputs.certificate.metadata.uid ?? '', attempt.account);
}

/** Publishes the resource's own certificate again, but never on the word of a status with a broken seal. */
async function republish(task: Task): Promise<ReconcileResult> {
  const { inputs } = task;
  if (inputs.sealed === false) return report(task, reportOf(inputs, SEAL_BROKEN));
  const certificate = certificateRef(inputs.certificate.status);
  if (!certificate) throw new TerminalError('NoCertificate', 'There is no certificate to fetch.');
  return fetchAgain(task, { certificate, outcome: 'republished' });
}

/** Fetches a certificate that exists at the CA, in its turn, and publishes it. */
function fetchAgain(task: Task, publication: Publication): Promise<ReconcileResult> {
  return atGate(workOf(task), (work) => publish(work, publication));
}

/** The same task, as if the Secret held nothing of use. */
function withoutContent(task: Task): Task {
  const { secret } = task.inputs;
  return secret.state === 'changed'
    ? withInputs(task, { secret: { ...secret, content: undefined, hasOutputs: false } })
    : task;
}

/** Reports a renewal outside all windows by one event, not by one for every try. */
function warnOutsideWindow({ deps, inputs: { certificate, attempt } }: Task, why: Reason): void {
  // A renewal that is tried again has been reported.
  const isReported = certificate.status?.failedAttempts !== undefined || attempt !== undefined;
  if (why.reason === OUTSIDE_WINDOW && !isReported) deps.warn(certificate, why.reason, why.message);
}

function park({ deps, inputs, issuer }: Work, afterMs?: number): void {
  issuer.account.gate.park(ticketOf(deps, inputs), afterMs);
}
