import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { expiryOf } from '../../issuance/certificate-kind.ts';
import { type NothingPlan, type ReportPlan, around, reportPlan } from '../../issuance/decide/blockers.ts';
import type { Blocker } from '../../issuance/decide/inputs.ts';
import { READY, failed, servesSpec, working } from '../../issuance/decide/readiness.ts';
import { isUpToDate } from '../../issuance/decide/up-to-date.ts';
import { lookAgainAt } from '../../issuance/renewal/plan.ts';
import { type WantedCondition, conditionOf } from '../../issuance/status/conditions.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';
import { mayProve } from './adoption-candidate.ts';
import { heldOrRevoked, unlisted } from './desired-status.ts';
import { type Need, firstNeed } from './needs.ts';
import { firstBlocker } from './preconditions.ts';

/** What is to be done, and nothing else: `act` carries it out without deciding anew. */
export type Plan =
  /** All is well until then. */
  | NothingPlan
  | ReportPlan
  /** Look again at this moment of the monotonic clock. */
  | { do: 'wait'; quietAt: number; conditions?: WantedCondition[] }
  | { do: 'issue'; operation: 'New' | 'Reissue'; why: Reason; givesUp?: number }
  | { do: 'resume'; certificateId: number; why: Reason }
  | { do: 'recover' }
  /** Take note of a status that the certificate turned out to have. */
  | { do: 'observe'; to: NonNullable<CertificateStatus['certificateStatus']> }
  /** Look for what a certificate was reissued as. */
  | { do: 'follow'; candidates: readonly number[] }
  /** End an attempt of which nothing more is wanted. */
  | { do: 'close'; givesUp?: number }
  | { do: 'republish'; why: Reason }
  | { do: 'relabel' }
  /** See what the own Secret proves; without proof, go on with `planOf`. */
  | { do: 'takeUp' }
  | { do: 'settle' };

/** Decides what to do for one certificate. Pure: the same inputs give the same plan. */
export function decide(inputs: Inputs): Plan {
  const plan = planOf(inputs);
  return mayProve(inputs, plan) ? { do: 'takeUp' } : plan;
}

/** What to do once all that the Secret may prove is in status. */
export function planOf(inputs: Inputs): Plan {
  const need = firstNeed(inputs);
  if (!need) return steady(inputs);
  if (need.remedy === 'recover' && inputs.monotonic < need.quietAt)
    return waiting(inputs, need, need.quietAt);
  const obstacle = firstBlocker(inputs, need);
  if (obstacle) return around(obstacle, { isServed: isServed(inputs), until: servedUntil(inputs) });
  return planFor(need);
}

/** Says what is in the way, and when to look again. */
export function blockedPlan(inputs: Inputs, obstacle: Blocker): ReportPlan {
  return reportPlan(obstacle, { isServed: isServed(inputs), until: servedUntil(inputs) });
}

/** The conditions while a need is being met. What has failed and is tried again on trial stays as it was said. */
export function workingConditions(inputs: Inputs, why: Reason): WantedCondition[] {
  const { metadata, status } = inputs.certificate;
  const before = conditionOf(status?.conditions, 'Issuing');
  if (inputs.turn.onTrial && before?.status === 'False' && before.observedGeneration === metadata.generation)
    return failedConditions(inputs, before);
  return working(isServed(inputs), why);
}

/** The conditions after a try that failed. */
export function failedConditions(inputs: Inputs, why: Reason): WantedCondition[] {
  return failed(isServed(inputs), why);
}

/** What Ready says of a certificate that needs nothing: it may have ended without being renewed. */
export function settledCondition(inputs: Inputs): WantedCondition {
  const { certificate, now } = inputs;
  const { certificateId, notAfter } = certificate.status ?? {};
  const expiry = expiryOf(certificate);
  const lost = heldOrRevoked(certificate);
  if (expiry === undefined || expiry > now) {
    return lost ? { type: 'Ready', status: 'False', ...lost } : { ...READY, ...unlisted(certificate) };
  }
  return {
    type: 'Ready',
    status: 'False',
    reason: 'Expired',
    message: `Certificate ${certificateId} expired at ${notAfter} and is not renewed.`,
  };
}

function planFor(need: Need): Plan {
  const why = { reason: need.reason, message: need.message };
  switch (need.remedy) {
    case 'issue':
      return { do: 'issue', operation: 'New', why, ...(need.givesUp ? { givesUp: need.givesUp } : {}) };
    case 'renew':
      return { do: 'issue', operation: 'Reissue', why };
    case 'resume':
      return { do: 'resume', certificateId: need.certificateId, why };
    case 'recover':
      return { do: 'recover' };
    case 'close':
      return { do: 'close', ...(need.givesUp ? { givesUp: need.givesUp } : {}) };
    case 'republish':
      return { do: 'republish', why };
    case 'observe':
      return { do: 'observe', to: need.to };
    case 'follow':
      return { do: 'follow', candidates: need.candidates };
    case 'relabel':
    case 'settle':
      return { do: need.remedy };
    default:
      return need satisfies never;
  }
}

/**
 * Until nothing of an attempt can happen any more. Nothing stands in the way of waiting, and nobody can do anything about
 * it, so that it is worth a write only where Ready says what is no longer so.
 */
function waiting(inputs: Inputs, why: Reason, quietAt: number): Plan {
  const ready = conditionOf(inputs.certificate.status?.conditions, 'Ready');
  const isWrong = ready?.status === 'True' && !isServed(inputs);
  return { do: 'wait', quietAt, ...(isWrong ? { conditions: workingConditions(inputs, why) } : {}) };
}

/** What is to be said of Ready once a certificate turns out to have another status; nothing where that is not all. */
export function observedConditions(inputs: Inputs): WantedCondition[] {
  return isServed(inputs) || heldOrRevoked(inputs.certificate) ? [settledCondition(inputs)] : [];
}

/** Nothing is needed: status says so, or is made to. */
function steady(inputs: Inputs): Plan {
  return isUpToDate(inputs, settledCondition(inputs))
    ? { do: 'nothing', requeueAt: lookAgainAt(inputs) }
    : { do: 'settle' };
}

/** Whether the Secret holds a valid certificate for this very spec. */
function isServed(inputs: Inputs): boolean {
  const { certificate, issuer } = inputs;
  if (!servesSpec(inputs) || heldOrRevoked(certificate)) return false;
  return !issuer?.ready || certificate.status?.authorityId === issuer.issuer.authority.id;
}

/** When Ready stops being true by itself, if it is true now: whoever waits has to say so then. */
export function servedUntil(inputs: Inputs): number | undefined {
  return isServed(inputs) ? expiryOf(inputs.certificate) : undefined;
}
