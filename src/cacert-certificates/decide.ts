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

/** What is to be done, and nothing else: `act` carries it out without deciding anew. */
export type Plan =
  /** All is well until then. */
  | NothingPlan
  | ReportPlan
  /** Look again at this moment of the monotonic clock. */
  | { do: 'wait'; quietAt: number }
  | { do: 'issue'; why: Reason }
  /** Serve what was signed for the pending key. */
  | { do: 'publish'; material: Material; isLate: boolean }
  /** Keep what was signed and cannot be served where a person finds it. */
  | { do: 'refuse'; certificate: string; fault: Reason }
  /** Store what was signed where it outlives this process. */
  | { do: 'keep'; certificate: string }
  /** Take note of what the Secret holds. */
  | { do: 'takeUp' }
  /** Say that nobody knows what came of an attempt. */
  | { do: 'doubt' }
  | { do: 'relabel' | 'settle' | 'forget' };

/** What Ready says of a certificate that is served and valid: nobody but a person can end it before its time. */
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
  if (need.remedy === 'doubt' && inputs.monotonic < need.quietAt)
    return { do: 'wait', quietAt: need.quietAt };
  const obstacle = firstBlocker(inputs, need);
  if (!obstacle) return planFor(need);
  return blockedPlan(obstacle, { isServed: servesSpec(inputs), ready: SERVED, until: servedUntil(inputs) });
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
    case 'doubt':
    case 'takeUp':
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

/** The conditions after a try that failed. */
export function failedConditions(inputs: Inputs, why: Reason): WantedCondition[] {
  return failed(servesSpec(inputs), why, SERVED);
}

/** What Ready says of a certificate that needs nothing: it may have ended without being renewed. */
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

/** When Ready stops being true by itself, if it is true now: whoever waits has to say so then. */
export function servedUntil(inputs: Inputs): number | undefined {
  return servesSpec(inputs) ? expiryOf(inputs.certificate) : undefined;
}
