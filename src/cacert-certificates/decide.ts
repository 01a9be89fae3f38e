import { type NothingPlan, type ReportPlan, blockedPlan } from '../issuance/decide/blockers.ts';
import { servesSpec } from '../issuance/decide/readiness.ts';
import { isUpToDate } from '../issuance/decide/up-to-date.ts';
import { nextReconcileAt } from '../issuance/renewal/plan.ts';
import type { SecretSource } from '../issuance/secret/outputs.ts';
import type { Reason } from '../lib/reason.ts';
import type { Inputs } from './inputs.ts';
import { type Need, firstNeed } from './needs.ts';
import { firstBlocker } from './preconditions.ts';
import { SERVED, servedUntil, settledCondition } from './readiness.ts';

/** What to do. `act` executes it without another decision. */
export type Plan =
  | NothingPlan
  | ReportPlan
  /** Reconcile again at this moment of the monotonic clock. */
  | { do: 'wait'; quietAt: number }
  | { do: 'issue'; why: Reason }
  /** Serve the certificate for the pending key. */
  | { do: 'publish'; source: SecretSource; isLate: boolean }
  /** Keep a certificate that must not be served where a person finds it. */
  | { do: 'refuse'; certificate: string; fault: Reason }
  /** Store a certificate where it outlives this process. */
  | { do: 'keep'; certificate: string }
  /** Take the certificate in the Secret into status. If `source` is set, its files are written first. */
  | { do: 'adopt'; source: SecretSource | undefined }
  /** Write what the Secret lacks: its metadata, and the files of `source` if that is set. */
  | { do: 'syncSecret'; source: SecretSource | undefined }
  /** Record that the outcome of the attempt is unknown. */
  | { do: 'recordUncertain' }
  | { do: 'updateStatus' }
  | { do: 'forget' };

/** Decides what to do for one certificate. Pure: the same inputs give the same plan. */
export function decide(inputs: Inputs): Plan {
  const need = firstNeed(inputs);
  if (!need) {
    return isUpToDate(inputs, settledCondition(inputs))
      ? { do: 'nothing', requeueAt: nextReconcileAt(inputs) }
      : { do: 'updateStatus' };
  }
  if (need.remedy === 'recordUncertain' && inputs.monotonic < need.quietAt)
    return { do: 'wait', quietAt: need.quietAt };
  const blocker = firstBlocker(inputs, need);
  if (!blocker) return planFor(need);
  const served = { isServed: servesSpec(inputs), ready: SERVED, until: servedUntil(inputs) };
  return blockedPlan(inputs, blocker, served);
}

function planFor(need: Need): Plan {
  const why = { reason: need.reason, message: need.message };
  switch (need.remedy) {
    case 'issue':
      return { do: 'issue', why };
    case 'publish':
      return { do: 'publish', source: need.source, isLate: need.isLate };
    case 'refuse':
      return { do: 'refuse', certificate: need.certificate, fault: need.fault };
    case 'keep':
      return { do: 'keep', certificate: need.certificate };
    case 'syncSecret':
    case 'adopt':
      return { do: need.remedy, source: need.source };
    case 'recordUncertain':
    case 'updateStatus':
    case 'forget':
      return { do: need.remedy };
    default:
      return need satisfies never;
  }
}
