import type { TinyCertCertificate } from '../../api/kinds.ts';
import {
  certificateKey,
  type CertificateRef,
  certificateRef,
  isSameCertificate,
} from '../../api/tinycert/identity.ts';
import { boughtIn } from '../../issuance/tinycert/attempt.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';
import { BROKEN_SEAL } from '../../issuance/tinycert/seal.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf } from '../../kube/objects.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';
import type { StatusAtCa, Wanted } from '../context/revocation-retries.ts';
import { type Task, type Work, workOf } from '../context/work.ts';
import { type DueRevocations, revocationsDue } from '../decide/revocations-due.ts';
import type { CaStatus } from '../decide/types.ts';
import { record, type StatusChange } from '../status/record.ts';
import { changeAll } from './change-all.ts';
import { claimedByOthers, isAtEnd, STATUS_OF, warnOfClaimed } from './change-status.ts';
import { afterFailedRevocation, pendingConditions, reportPending } from './pending.ts';

/** The inputs after the revocations, and when to reconcile again for them. */
export interface Revoked {
  inputs: Inputs;
  result: ReconcileResult;
}

/** What became of each certificate, by its key. */
type Outcomes = Map<string, StatusAtCa | 'claimed'>;

const SEAL_BROKEN: Reason = {
  reason: 'SealBroken',
  message: `${BROKEN_SEAL}, so the ids in it are not trusted and no replaced certificate is held or revoked. Check at TinyCert whether replaced certificates remain that should be.`,
};

/**
 * Does the holds and revocations that are due for a resource that stays: of replaced certificates whose delay is over, and of
 * the present one as `desiredStatus` asks. One write records them all. It runs beside the plan for the certificate: neither
 * waits for the other.
 */
export async function revokeDue(task: Task): Promise<Revoked> {
  const { deps, inputs, signal, log } = task;
  const { issuer, certificate, sealed } = inputs;
  if (!issuer?.ready || !task.view || certificate.spec.suspend) return { inputs, result: {} };
  if (sealed === false && certificate.status?.pendingRevocations) return reported(SEAL_BROKEN, {});
  const due = revocationsDue(inputs);
  if (!due) return reported(undefined, {});
  const uid = certificate.metadata.uid ?? '';
  const waits = deps.revocationRetries.waits(uid, deps.clock.monotonic());
  if (waits > 0) return { inputs, result: { requeueAfterMs: waits } };
  // What is done and only has to be recorded needs no turn: a pass that waits for one would hide how often the record was refused.
  const isAsked = wantedOf(inputs, due).some(
    (each) => deps.revocationRetries.outcomeOf(uid, each) === undefined,
  );
  if (inputs.turn.phase === 'stopped' && isAsked) {
    issuer.issuer.account.gate.park(ticketOf(deps, inputs));
    return { inputs, result: {} };
  }

  const done: Outcomes = new Map();
  let failure: ReturnType<typeof afterFailedRevocation> | undefined;
  try {
    await revoke(workOf(task), due, done);
    deps.revocationRetries.succeeded(uid);
  } catch (error) {
    const { issuerKey } = inputs;
    const access = { uid, key: keyOf(certificate), issuerKey, issuer: issuer.issuer, isLast: false };
    failure = afterFailedRevocation(deps, access, error, signal);
  }
  const { why, result = {} } = failure ?? {};
  const change = changeAfter(inputs, due, done);
  if (!change) return why ? reported(why, result) : { inputs: present(certificate), result };
  const written = await record(deps, {
    certificate,
    change,
    ...(failure && !why ? {} : pendingConditions(why)),
    sealer: issuer.issuer.account,
    signal,
  });
  deps.revocationRetries.recorded(uid);
  log.info({ done: Object.fromEntries(done) }, 'Changed the status of certificates at the CA');
  return { inputs: present(written), result };

  /** The inputs with the resource as it is now, and with the issuer, which may have met a fault. */
  function present(now: TinyCertCertificate): Inputs {
    return { ...inputs, certificate: now, issuer: deps.directory.get(inputs.issuerKey) };
  }

  async function reported(reason: Reason | undefined, then: ReconcileResult): Promise<Revoked> {
    const now = reason
      ? await reportPending(deps, certificate, reason, signal)
      : await deps.statuses.writeNews({ certificate, ...pendingConditions(undefined), signal });
    return { inputs: now === certificate ? inputs : present(now), result: then };
  }
}

/** Does all that is due, and notes each outcome in `done` as soon as it is known. */
async function revoke(work: Work, due: DueRevocations, done: Outcomes): Promise<void> {
  const { deps, inputs, issuer, signal } = work;
  const { certificate } = inputs;
  const all = wantedOf(inputs, due);
  const own = certificateRef(certificate.status);
  const meant = due.desired && own ? [own] : [];
  const claimed = await claimedByOthers(deps, certificate, [...due.pending, ...meant], signal);
  for (const ref of due.pending) if (isServedAgain(inputs, ref)) done.set(certificateKey(ref), 'good');
  for (const each of claimed) done.set(certificateKey(each), 'claimed');
  warnOfClaimed(deps, certificate, claimed);
  const wanted = all.filter((each) => done.get(certificateKey(each.certificate)) !== 'claimed');
  const { uid = '' } = certificate.metadata;
  await changeAll({ deps, issuer, signal, uid }, wanted, ticketOf(deps, inputs), (each, outcome) =>
    done.set(certificateKey(each.certificate), outcome),
  );
}

/** What the CA is to be asked for. */
function wantedOf(inputs: Inputs, { pending, desired }: DueRevocations): Wanted[] {
  const own = certificateRef(inputs.certificate.status);
  const replaced = pending.filter((ref) => !isServedAgain(inputs, ref));
  return [
    ...replaced.map((ref): Wanted => ({ certificate: ref, status: STATUS_OF[ref.action] })),
    ...(desired && own ? [{ certificate: own, status: STATUS_OF[desired] }] : []),
  ];
}

/** Whether a certificate that was to be revoked was not replaced after all. */
function isServedAgain({ certificate, attempt }: Inputs, ref: CertificateRef): boolean {
  return (
    isSameCertificate(ref, certificateRef(certificate.status)) || isSameCertificate(ref, boughtIn(attempt))
  );
}

/** The change of status that records what was done; undefined if nothing was. */
function changeAfter(
  { certificate: { spec, status } }: Inputs,
  { pending, desired }: DueRevocations,
  done: ReadonlyMap<string, StatusAtCa | 'claimed'>,
): StatusChange | undefined {
  const { pendingRevocations = [], formerCertificates = [] } = status ?? {};
  const present = certificateRef(status);
  const isOver = new Set(pending.map(certificateKey).filter((key) => done.has(key)));
  const left = pendingRevocations.filter((each) => !isOver.has(certificateKey(each)));
  const own = present && done.get(certificateKey(present));
  // If Good was asked for a revoked certificate, it is observed once another certificate has replaced that one.
  const isObserved = own !== undefined && !(desired === 'Good' && own === 'revoked');
  // Nobody adopts what is revoked, and a deletion need not revoke it again.
  const formers = formerCertificates.filter((each) => !isAtEnd(done.get(certificateKey(each))));
  const change: StatusChange = {
    ...(isOver.size > 0 ? { pendingRevocations: left.length > 0 ? left : null } : {}),
    ...(formers.length < formerCertificates.length
      ? { formerCertificates: formers.length > 0 ? formers : null }
      : {}),
    ...(desired === null ? { observedDesiredStatus: null } : {}),
    ...(desired && isObserved ? { observedDesiredStatus: spec.desiredStatus } : {}),
    ...(desired && isCaStatus(own) ? { certificateStatus: own } : {}),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

function isCaStatus(outcome: StatusAtCa | 'claimed' | undefined): outcome is CaStatus {
  return outcome !== undefined && outcome !== 'claimed' && outcome !== 'gone';
}
