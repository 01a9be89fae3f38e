import { expiryOf } from '../issuance/certificate-kind.ts';
import { type NothingPlan, type ReportPlan, blockedPlan } from '../issuance/decide/blockers.ts';
import { READY, failed, servesSpec, working } from '../issuance/decide/readiness.ts';
import { isUpToDate } from '../issuance/decide/up-to-date.ts';
import { lookAgainAt } from '../issuance/renewal/plan.ts';
import type { Material } from '../issuance/secret/check-material.ts';
import type { WantedCondition } from '../issuance/status/conditions.ts';
import type { Reason } from '../lib/reason.ts';
import type { Inputs } from './inputs.ts';
import { type Need, firstNeed } from './needs.ts';
import { firstBlocker } from './preconditions.ts';

/** What to do. `act` executes it without another decision. */
export type Plan =
  | NothingPlan
  | ReportPlan
  /** Reconcile again at this moment of the monotonic clock. */
  | { do: 'wait'; quietAt: number }
  | { do: 'issue'; why: Reason }
  /** Serve the certificate for the pending key. */
  | { do: 'publish'; material: Material; isLate: boolean }
  /** Keep a certificate that must not be served where a person finds it. */
  | { do: 'refuse'; certificate: string; fault: Reason }
  /** Store a certificate where it outlives this process. */
  | { do: 'keep'; certificate: string }
  /** Take the certificate in the Secret into status. */
  | { do: 'adopt' }
  /** Record that the outcome of the attempt is unknown. */
  | { do: 'recordUncertain' }
  | { do: 'relabel' | 'settle' | 'forget' };

/** The Ready condition of a valid certificate in its Secret. Only a person can revoke it, so the message explains how. */
export const SERVED: WantedCondition = {
  ...READY,
  message:
    'The Secret holds a valid certificate for this spec, which can log in to the account until it ends. To revoke it, find its serial number in the web account (account.php?id=5).',
};

/** Decides what to do for one certificate. Pure: the same inputs give the same plan. */
export function decide(inputs: Inputs): Plan {
  const need = firstNeed(inputs);
  if (!need) {
    return isUpToDate(inputs, settledCondition(inputs))
      ? { do: 'nothing', requeueAt: lookAgainAt(inputs) }
      : { do: 'settle' };
  }
  if (need.remedy === 'recordUncertain' && inputs.monotonic < need.quietAt)
    return { do: 'wait', quietAt: need.quietAt };
  const blocker = firstBlocker(inputs, need);
  if (!blocker) return planFor(need);
  return blockedPlan(blocker, { isServed: servesSpec(inputs), ready: SERVED, until: servedUntil(inputs) });
}

function planFor(need: Need): Plan {
  const why = { reason: need.reason, message: need.message };
  switch (need.remedy) {
    case 'issue':
      return { do: 'issue', why };
    case 'publish':
      return { do: 'publish', material: need.material, isLate: need.isLate };
    case 'refuse':
      return { do: 'refuse', certificate: need.certificate, fault: need.fault };
    case 'keep':
      return { do: 'keep', certificate: need.certificate };
    case 'recordUncertain':
    case 'adopt':
    case 'relabel':
    case 'settle':
    case 'forget':
      return { do: need.remedy };
    default:
      return need satisfies never;
  }
}

/** The conditions while a need is being met. */
export function workingConditions(inputs: Inputs, why: Reason): WantedCondition[] {
  return working(servesSpec(inputs), why, SERVED);
}

/** The conditions after a failed attempt, or while something blocks the need. */
export function failedConditions(inputs: Inputs, why: Reason): WantedCondition[] {
  return failed(servesSpec(inputs), why, SERVED);
}

/** The Ready condition of a certificate that needs nothing. It may have expired with its renewal disabled. */
export function settledCondition({ certificate, now }: Pick<Inputs, 'certificate' | 'now'>): WantedCondition {
  const expiry = expiryOf(certificate);
  if (expiry === undefined || expiry > now) return SERVED;
  const { serialNumber, notAfter } = certificate.status ?? {};
  return {
    type: 'Ready',
    status: 'False',
    reason: 'Expired',
    message: `The certificate with the serial number ${serialNumber} expired at ${notAfter} and is not renewed.`,
  };
}

/** When Ready turns false without any change, if it is true now. A certificate that waits must be reconciled then. */
export function servedUntil(inputs: Inputs): number | undefined {
  return servesSpec(inputs) ? expiryOf(inputs.certificate) : undefined;
}
