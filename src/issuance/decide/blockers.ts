import type { Reason } from '../../lib/reason.ts';
import { type CertificateResource, earliest } from '../certificate-kind.ts';
import { MAX_CLOCK_SKEW_MS } from '../clock-skew.ts';
import { type WantedCondition, conditionOf } from '../status/conditions.ts';
import { CrdsOutdated } from '../status/outdated-crds.ts';
import type { CertificateInputs, Blocker } from './inputs.ts';
import { failed } from './readiness.ts';

/** What can stand in the way of any certificate. Each is a policy for a controller's own table, which orders them. */

/** How soon to look whether a Secret that is in the way has gone. */
const FOREIGN_AGAIN_MS = 60_000;

const SUSPENDED: Reason = {
  reason: 'Suspended',
  message: 'spec.suspend is true: nothing is issued, renewed, repaired or revoked until it is not.',
};

/** While a resource is suspended nothing is done for it, whatever is needed; it is still let go of when it is deleted. */
export function suspended({
  certificate: { spec },
}: Pick<CertificateInputs, 'certificate'>): Blocker | undefined {
  return spec.suspend ? SUSPENDED : undefined;
}

/** The conditions of a resource that needs nothing beside Ready: whether it is suspended. */
export function idleConditions({ spec }: Pick<CertificateResource, 'spec'>): WantedCondition[] {
  return spec.suspend ? [{ type: 'Issuing', status: 'False', ...SUSPENDED }] : [];
}

/** What cannot be written down is not bought. */
export function outdatedCrds({ crdsFit }: CertificateInputs): Blocker | undefined {
  return crdsFit ? undefined : { reason: 'CRDsOutdated', message: new CrdsOutdated().message };
}

/** A Secret has one owner. */
export function sharedSecretName({ certificate: { spec }, elder }: CertificateInputs): Blocker | undefined {
  if (elder === undefined) return undefined;
  return {
    reason: 'DuplicateSecretName',
    message: `The Secret ${spec.secretName} belongs to the ${elder}, which had it first: choose another secretName.`,
  };
}

/** Secrets are watched by our label, so that the end of one without it is only found by looking. */
export function foreignSecret({ secret, now }: CertificateInputs): Blocker | undefined {
  if (secret.state !== 'foreign') return undefined;
  return { reason: secret.reason, message: secret.message, until: now + FOREIGN_AGAIN_MS };
}

/** After a failure the next try waits; a change of the spec ends the wait. */
export function backingOff({
  certificate: { metadata, status },
  now,
}: Pick<CertificateInputs, 'certificate' | 'now'>): Blocker | undefined {
  if (status?.failedAttempts === undefined) return undefined;
  const failed = conditionOf(status.conditions, 'Issuing');
  if (failed?.status !== 'False' || failed.observedGeneration !== metadata.generation) return undefined;
  const { reason, message } = failed;
  if (status.nextAttemptTime === undefined) return { reason, message };
  // A failure that lies ahead was written by a clock that has been set right since.
  if (Date.parse(status.lastFailureTime ?? '') > now + MAX_CLOCK_SKEW_MS) return undefined;
  const until = Date.parse(status.nextAttemptTime);
  return until > now ? { reason, message, until } : undefined;
}

/** A rate limit shows on the account; a write for each of thousands that wait would say nothing more. */
export function accountPaused({ turn }: Pick<CertificateInputs, 'turn'>): Blocker | undefined {
  if (!turn.paused) return undefined;
  return {
    reason: 'RateLimited',
    message: 'The CA asked to wait.',
    isMomentary: true,
    isQueued: true,
  };
}

/** Say in status what is in the way, if it does not say so already. */
export interface ReportPlan {
  do: 'report';
  why: Reason;
  conditions: WantedCondition[];
  requeueAt?: number | undefined;
  isQueued?: true;
}

/** Do nothing until then. */
export interface NothingPlan {
  do: 'nothing';
  requeueAt?: number | undefined;
  isQueued?: true;
}

/** What is served meanwhile; `until`: when Ready stops being true by itself, if it is true now. */
interface Served {
  isServed: boolean;
  /** What Ready says of it. */
  ready?: WantedCondition;
  until: number | undefined;
}

/** Says what is in the way, and when to look again. */
export function reportPlan(obstacle: Blocker, { isServed, ready, until }: Served): ReportPlan {
  return {
    do: 'report',
    why: obstacle,
    conditions: failed(isServed, obstacle, ready),
    requeueAt: earliest(obstacle.until, until),
    ...(obstacle.isQueued ? { isQueued: true } : {}),
  };
}

/** The same, where that is worth a word. Whoever is called by the gate looks by itself when what is served ends. */
export function around(obstacle: Blocker, served: Served): ReportPlan | NothingPlan {
  if (!obstacle.isMomentary) return reportPlan(obstacle, served);
  return obstacle.isQueued ? { do: 'nothing', isQueued: true, requeueAt: served.until } : { do: 'nothing' };
}
