import type { Reason } from '../../lib/reason.ts';
import { earliest } from '../certificate-kind.ts';
import { MAX_CLOCK_SKEW_MS } from '../clock-skew.ts';
import { SECRET_ALTERED } from '../secret/kept.ts';
import type { WantedCondition } from '../status/conditions.ts';
import { CrdsOutdated } from '../status/outdated-crds.ts';
import type { Blocker, CertificateInputs } from './inputs.ts';
import { failed } from './readiness.ts';

/** The preconditions that every kind of certificate shares. Each controller orders them in a table of its own. */

/** How soon to check whether a Secret in the way is gone. Only Secrets with our label are watched. */
export const FOREIGN_SECRET_RECHECK_MS = 60_000;

const SUSPENDED: Reason = {
  reason: 'Suspended',
  message:
    'spec.suspend is true: nothing is issued, renewed, repaired or revoked until it is false or removed.',
};

/** A suspended resource needs nothing, whatever it lacks. It is still finalized when it is deleted. */
export function suspended({
  certificate: { spec },
}: Pick<CertificateInputs, 'certificate'>): Blocker | undefined {
  return spec.suspend ? SUSPENDED : undefined;
}

/** The conditions beside Ready of a resource that needs nothing: that it is suspended, or has no issuer any more. */
export function idleConditions({
  certificate: { spec },
  abandoned,
}: Pick<CertificateInputs, 'certificate' | 'abandoned'>): WantedCondition[] {
  const why = spec.suspend ? SUSPENDED : abandoned;
  return why ? [{ type: 'Issuing', status: 'False', ...why }] : [];
}

/** What cannot be recorded is not bought. */
export function outdatedCrds({ crdsFit }: CertificateInputs): Blocker | undefined {
  return crdsFit ? undefined : { reason: 'CRDsOutdated', message: new CrdsOutdated().message };
}

/** A Secret has one owner. */
export function sharedSecretName({ certificate: { spec }, elder }: CertificateInputs): Blocker | undefined {
  if (elder === undefined) return undefined;
  return {
    reason: 'DuplicateSecretName',
    message: `The Secret ${spec.secretName} belongs to the ${elder}, which had it first: choose another secretName.`,
    awaits: spec.secretName,
  };
}

/** A Secret that somebody else made is never overwritten. */
export function foreignSecret({ secret, now }: CertificateInputs): Blocker | undefined {
  if (secret.state !== 'foreign') return undefined;
  const { reason, message } = secret;
  return { reason, message, wakeBy: 'time', until: now + FOREIGN_SECRET_RECHECK_MS };
}

/**
 * After a failure the next attempt waits. A change of the spec ends the wait. A Secret that was not stored as it was written
 * and is gone by now is written at once: that is another fault.
 */
export function backingOff({
  certificate: { metadata, status },
  secret,
  now,
}: Pick<CertificateInputs, 'certificate' | 'secret' | 'now'>): Blocker | undefined {
  const { lastFailure } = status ?? {};
  if (!status || !lastFailure || lastFailure.observedGeneration !== metadata.generation) return undefined;
  const { reason, message } = lastFailure;
  if (reason === SECRET_ALTERED && secret.state === 'absent') return undefined;
  if (status.nextAttemptTime === undefined) return { reason, message };
  // A failure in the future was recorded by a clock that has been corrected since.
  if (Date.parse(status.lastFailureTime ?? '') > now + MAX_CLOCK_SKEW_MS) return undefined;
  const until = Date.parse(status.nextAttemptTime);
  return until > now ? { reason, message, wakeBy: 'time', until } : undefined;
}

/** The issuer or account reports a rate limit itself. A write for each waiting certificate would add nothing. */
export function accountPaused({ turn }: Pick<CertificateInputs, 'turn'>): Blocker | undefined {
  if (turn.phase !== 'paused') return undefined;
  return { reason: 'RateLimited', message: 'The CA asked to wait.', wakeBy: 'gate', isBrief: true };
}

/** Report in status why a need is blocked, unless status does so already. */
export interface ReportPlan {
  do: 'report';
  why: Reason;
  conditions: WantedCondition[];
  /** The Secret to note in status as the one that is waited for. */
  awaits?: string;
  /** Other fields of the status to write with it. */
  change?: Blocker['change'];
  /** Milliseconds since the epoch. */
  requeueAt?: number | undefined;
  /** `gate`: the certificate is parked at the account's gate. */
  wakeBy?: 'gate';
}

/** Do nothing until `requeueAt`, in milliseconds since the epoch; until a change if there is none. */
export interface NothingPlan {
  do: 'nothing';
  requeueAt?: number | undefined;
  /** `gate`: the certificate is parked at the account's gate. */
  wakeBy?: 'gate';
}

/** What is served while a need is blocked. */
interface Served {
  isServed: boolean;
  /** The Ready condition of what is served, where it is not the usual one. */
  ready?: WantedCondition;
  /** When Ready stops being true by itself, if it is true now: milliseconds since the epoch. */
  until: number | undefined;
}

/** The plan to report a blocker, and when to reconcile again. */
export function reportPlan(blocker: Blocker, { isServed, ready, until }: Served): ReportPlan {
  const { reason, message } = blocker;
  return {
    do: 'report',
    why: { reason, message },
    conditions: failed(isServed, { reason, message }, ready),
    ...(blocker.awaits === undefined ? {} : { awaits: blocker.awaits }),
    ...(blocker.change === undefined ? {} : { change: blocker.change }),
    requeueAt: earliest(blocker.wakeBy === 'time' ? blocker.until : undefined, until),
    ...(blocker.wakeBy === 'gate' ? { wakeBy: 'gate' } : {}),
  };
}

/**
 * The plan for a blocker: a brief one is not reported. A certificate that is parked meanwhile is still reconciled when the one
 * in its Secret expires, and reports it: a pause can last for hours.
 */
export function blockedPlan(
  { certificate: { status } }: Pick<CertificateInputs, 'certificate'>,
  blocker: Blocker,
  served: Served,
): ReportPlan | NothingPlan {
  const isWrong = status?.notAfter !== undefined && !served.isServed;
  const isParked = blocker.wakeBy === 'gate';
  if (!blocker.isBrief || (isParked && isWrong)) return reportPlan(blocker, served);
  return isParked ? { do: 'nothing', wakeBy: 'gate', requeueAt: served.until } : { do: 'nothing' };
}
