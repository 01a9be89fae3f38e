import { earliest } from '../../issuance/certificate-kind.ts';
import type { CertificateRef } from '../../api/tinycert/identity.ts';
import { blockedPlan, reportPlan, type ReportPlan } from '../../issuance/decide/blockers.ts';
import type { Blocker } from '../../issuance/decide/inputs.ts';
import { isUpToDate } from '../../issuance/decide/up-to-date.ts';
import { nextReconcileAt } from '../../issuance/renewal/plan.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';
import { mayProve } from './adoption-candidate.ts';
import { firstNeed } from './needs.ts';
import { firstBlocker, waitsForIssuer } from './preconditions.ts';
import { failedConditions, isServed, servedUntil, settledCondition, workingConditions } from './readiness.ts';
import type { Need, Order, Plan } from './types.ts';

/** Decides what to do for one certificate. Pure: the same inputs give the same plan. */
export function decide(inputs: Inputs): Plan {
  const plan = planOf(inputs);
  return mayProve(inputs, plan) ? { do: 'adopt' } : plan;
}

/** Decides what to do once status holds everything that the Secret can prove. */
export function planOf(inputs: Inputs): Plan {
  const need = firstNeed(inputs);
  if (!need) return steady(inputs);
  if (need.remedy === 'recover' && inputs.monotonic < need.quietAt)
    return waiting(inputs, need, need.quietAt);
  const blocker = firstBlocker(inputs, need);
  if (blocker)
    return blockedPlan(inputs, blocker, { isServed: isServed(inputs), until: servedUntil(inputs) });
  return planFor(inputs, need);
}

/** The plan to report a blocker, however brief it is. */
export function reportOf(inputs: Inputs, blocker: Blocker): ReportPlan {
  return reportPlan(blocker, { isServed: isServed(inputs), until: servedUntil(inputs) });
}

/**
 * What is bought in the end. A reissue hands whoever can read the Secret the key of the certificate that status names. If
 * the seal of the status is broken and the Secret did not prove that certificate, a new key is bought instead.
 */
export function orderOf({ sealed }: Pick<Inputs, 'sealed'>, order: Order): Order {
  return sealed === false ? { ...order, operation: 'New' } : order;
}

function planFor(inputs: Inputs, need: Need): Plan {
  const why = { reason: need.reason, message: need.message };
  switch (need.remedy) {
    case 'issue':
      if (inputs.lossSign.is === 'unknown') return { do: 'lookForLoss' };
      return {
        do: 'issue',
        ...orderOf(inputs, { operation: 'New', why, ...givesUpOf(need), ...unclaimedBy(inputs) }),
      };
    case 'renew':
      return { do: 'issue', ...orderOf(inputs, { operation: 'Reissue', why }) };
    case 'resume':
      return { do: 'resume', bought: need.bought, why };
    case 'take':
      return { do: 'take', bought: need.bought };
    case 'recover':
      return { do: 'recover' };
    case 'close':
      return { do: 'close', ...givesUpOf(need) };
    case 'republish':
      return { do: 'republish', why };
    case 'recordCaStatus':
      return { do: 'recordCaStatus', to: need.to };
    case 'adoptReissued':
      return { do: 'adoptReissued', candidates: need.candidates };
    case 'syncSecret':
    case 'updateStatus':
      return { do: need.remedy };
    default:
      return need satisfies never;
  }
}

function unclaimedBy({ lossSign }: Inputs): Pick<Order, 'unclaimed'> {
  return lossSign.is === 'unclaimed' ? { unclaimed: lossSign.certificates } : {};
}

function givesUpOf({ givesUp }: { givesUp?: CertificateRef }): { givesUp?: CertificateRef } {
  return givesUp === undefined ? {} : { givesUp };
}

/**
 * The plan until an attempt can have no further effect. Nobody can do anything about the wait, so it is written to status only of
 * a certificate that is not served. While the account is stopped or tried, what is reported stays, and one that reports nothing yet
 * tells of that, in the words that it has while it waits.
 */
function waiting(inputs: Inputs, why: Reason, quietAt: number): Plan {
  const { certificate, turn } = inputs;
  if (isServed(inputs)) return { do: 'wait', quietAt };
  if (turn.phase === 'open') return { do: 'wait', quietAt, conditions: workingConditions(inputs, why) };
  const conditions = failedConditions(inputs, waitsForIssuer(certificate));
  return { do: 'wait', quietAt, conditions, onlyFirst: true };
}

/**
 * The plan when nothing is needed: status reports that, or is updated to. A seal that holds by one of its two keys alone is
 * written again in its turn, so that it outlives the loss of that one too.
 */
function steady(inputs: Inputs): Plan {
  if (!isUpToDate(inputs, settledCondition(inputs))) return { do: 'updateStatus' };
  const { resealAt, monotonic, now, crdsFit, hasJournal } = inputs;
  const next = nextReconcileAt(inputs);
  if (resealAt === undefined || !crdsFit || !hasJournal) return { do: 'nothing', requeueAt: next };
  if (resealAt <= monotonic) return { do: 'reseal' };
  return { do: 'nothing', requeueAt: earliest(next, now + resealAt - monotonic) };
}
