import type { Reason } from '../issuance/resource.ts';
import { CrdsOutdated } from '../issuance/outdated-crds.ts';
import type { Inputs } from './inputs.ts';
import type { Need } from './needs.ts';
import { MAX_CLOCK_SKEW_MS } from '../issuance/checks.ts';
import { suspended, withheld } from './standing.ts';
import { conditionOf } from '../issuance/conditions.ts';

/** What stands in the way. `until` is when to look again by itself; without it a change has to come. */
export interface Obstacle extends Reason {
  until?: number;
  /** It passes by itself in a moment, so that it is not worth a write. */
  isMomentary?: true;
  /** Somebody tells when it is over: the account's gate. */
  isQueued?: true;
}

type Policy = (inputs: Inputs, need: Need) => Obstacle | undefined;

/** How soon to look whether a Secret that is in the way has gone. */
const FOREIGN_AGAIN_MS = 60_000;

/** Everything that would fail after buying is refused before it (rule 1). In this order: the first decides. */
const policies: readonly Policy[] = [
  suspended,
  withheld,
  outdatedCrds,
  sharedSecretName,
  foreignSecret,
  unsealed,
  backingOff,
  issuerAbsent,
  issuerNotReady,
  ownUnit,
  accountStopped,
  accountPaused,
];

/** What stands in the way of a need, or undefined if it can be met now. */
export function firstObstacle(inputs: Inputs, need: Need): Obstacle | undefined {
  if (need.remedy === 'settle' || need.remedy === 'observe') return undefined;
  for (const policy of policies) {
    const obstacle = policy(inputs, need);
    if (obstacle) return obstacle;
  }
  return undefined;
}

/** What cannot be written down is not bought. */
function outdatedCrds({ crdsFit }: Inputs): Obstacle | undefined {
  return crdsFit ? undefined : { reason: 'CRDsOutdated', message: new CrdsOutdated().message };
}

function sharedSecretName({ certificate: { spec }, elder }: Inputs): Obstacle | undefined {
  if (elder === undefined) return undefined;
  return {
    reason: 'DuplicateSecretName',
    message: `The Secret ${spec.secretName} belongs to the ${elder}, which had it first: choose another secretName.`,
  };
}

/** Secrets are watched by our label, so that the end of one without it is only found by looking. */
function foreignSecret({ secret, now }: Inputs): Obstacle | undefined {
  if (secret.state !== 'foreign') return undefined;
  return { reason: secret.reason, message: secret.message, until: now + FOREIGN_AGAIN_MS };
}

/** Why nothing is done with an id that nobody can prove. */
export const SEAL_BROKEN: Reason = {
  reason: 'SealBroken',
  message:
    'The status was changed by somebody else or the API key was replaced, so the certificate id in it is not believed. Change the spec or delete and create the resource to have a new certificate issued.',
};

/** A private key is never fetched on the word of a status that somebody else may have written. */
function unsealed({ sealed }: Inputs, { remedy }: Need): Obstacle | undefined {
  if (sealed !== false || remedy !== 'republish') return undefined;
  return SEAL_BROKEN;
}

/** After a failure the next try waits; a change of the spec ends the wait. */
function backingOff({ certificate: { metadata, status }, now }: Inputs): Obstacle | undefined {
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

function issuerAbsent({ certificate: { spec }, issuer, issuerExists }: Inputs): Obstacle | undefined {
  if (issuer) return undefined;
  const { kind, name } = spec.issuerRef;
  if (issuerExists)
    return { reason: 'IssuerNotReady', message: `${kind} ${name} is being checked.`, isMomentary: true };
  return {
    reason: 'IssuerNotFound',
    message: `There is no ${kind} ${name}: create it, or correct issuerRef.`,
  };
}

function issuerNotReady({ certificate, issuer }: Inputs): Obstacle | undefined {
  return !issuer || issuer.ready ? undefined : waitsForIssuer(certificate);
}

function accountStopped({ certificate, turn }: Inputs): Obstacle | undefined {
  return turn.held ? { ...waitsForIssuer(certificate), isQueued: true } : undefined;
}

/** A rate limit shows on the issuer; a write for each of thousands that wait would say nothing more. */
function accountPaused({ turn }: Inputs): Obstacle | undefined {
  if (!turn.paused) return undefined;
  return {
    reason: 'RateLimited',
    message: 'TinyCert asked to wait.',
    isMomentary: true,
    isQueued: true,
  };
}

/** Always the same words, so that it is one write however often the issuer changes its reason. */
export function waitsForIssuer({ spec }: Inputs['certificate']): Reason {
  const { kind, name } = spec.issuerRef;
  return {
    reason: 'IssuerNotReady',
    message: `${kind} ${name} is not ready; its own conditions say why. This goes on by itself as soon as it is.`,
  };
}

/** Where the organizational unit carries the ownership marker, nobody can have one of their own. */
function ownUnit({ certificate: { spec }, issuer }: Inputs, { remedy }: Need): Obstacle | undefined {
  const unit = spec.subject?.organizationalUnit;
  if (remedy !== 'issue' || unit === undefined || !issuer?.ready || issuer.issuer.marksFor === undefined)
    return undefined;
  const { kind, name } = spec.issuerRef;
  return {
    reason: 'OrganizationalUnitReserved',
    message: `${kind} ${name} marks its certificates in the organizational unit (OU), so that subject.organizationalUnit cannot be "${unit}": leave it out, or use another issuer.`,
  };
}
