import { firstOf } from '../../lib/first-of.ts';
import type { Blocker } from '../../issuance/decide/inputs.ts';
import {
  accountPaused,
  backingOff,
  foreignSecret,
  outdatedCrds,
  sharedSecretName,
  suspended,
} from '../../issuance/decide/blockers.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';
import type { Need } from './needs.ts';
import { withheld } from './desired-status.ts';

type Policy = (inputs: Inputs, need: Need) => Blocker | undefined;

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
export function firstBlocker(inputs: Inputs, need: Need): Blocker | undefined {
  if (need.remedy === 'settle' || need.remedy === 'observe') return undefined;
  return firstOf(policies, inputs, need);
}

/** Why nothing is done with an id that nobody can prove. */
export const SEAL_BROKEN: Reason = {
  reason: 'SealBroken',
  message:
    'The status was changed by somebody else or the API key was replaced, so the certificate id in it is not believed. Change the spec or delete and create the resource to have a new certificate issued.',
};

/** A private key is never fetched on the word of a status that somebody else may have written. */
function unsealed({ sealed }: Inputs, { remedy }: Need): Blocker | undefined {
  if (sealed !== false || remedy !== 'republish') return undefined;
  return SEAL_BROKEN;
}

function issuerAbsent(inputs: Inputs): Blocker | undefined {
  const { certificate, issuer, issuerExists, issuerKindInstalled } = inputs;
  if (issuer) return undefined;
  const { kind, name } = certificate.spec.issuerRef;
  if (!issuerKindInstalled) return kindNotInstalled(certificate);
  if (issuerExists)
    return { reason: 'IssuerNotReady', message: `${kind} ${name} is being checked.`, isMomentary: true };
  return {
    reason: 'IssuerNotFound',
    message: `There is no ${kind} ${name}: create it, or correct issuerRef.`,
  };
}

/** While the CRD of its kind is missing, nobody knows whether the issuer exists. */
export function kindNotInstalled({ spec }: Inputs['certificate']): Reason {
  const { kind, name } = spec.issuerRef;
  return {
    reason: 'IssuerNotReady',
    message: `${kind} ${name} cannot be read, because the CRD of ${kind} is not installed: run kubectl apply -f crds/ of the operator's release. This goes on by itself after that.`,
  };
}

function issuerNotReady({ certificate, issuer }: Inputs): Blocker | undefined {
  return !issuer || issuer.ready ? undefined : waitsForIssuer(certificate);
}

function accountStopped({ certificate, turn }: Inputs): Blocker | undefined {
  return turn.held ? { ...waitsForIssuer(certificate), isQueued: true } : undefined;
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
function ownUnit({ certificate: { spec }, issuer }: Inputs, { remedy }: Need): Blocker | undefined {
  const unit = spec.subject?.organizationalUnit;
  if (remedy !== 'issue' || unit === undefined || !issuer?.ready || issuer.issuer.marksFor === undefined)
    return undefined;
  const { kind, name } = spec.issuerRef;
  return {
    reason: 'OrganizationalUnitReserved',
    message: `${kind} ${name} marks its certificates in the organizational unit (OU), so that subject.organizationalUnit cannot be "${unit}": leave it out, or use another issuer.`,
  };
}
