import {
  accountPaused,
  backingOff,
  foreignSecret,
  outdatedCrds,
  sharedSecretName,
  suspended,
} from '../../issuance/decide/blockers.ts';
import type { Blocker } from '../../issuance/decide/inputs.ts';
import { BROKEN_SEAL } from '../../issuance/tinycert/seal.ts';
import { firstOf } from '../../lib/first-of.ts';
import type { Reason } from '../../lib/reason.ts';
import type { Inputs } from '../context/inputs.ts';
import { desiredStatusForbids } from './desired-status.ts';
import { statusMayBeLost } from './loss-sign.ts';
import type { Need } from './types.ts';

type Precondition = (inputs: Inputs, need: Need) => Blocker | undefined;

/** Everything that would make a purchase useless is checked before it. The first blocker found wins. */
const preconditions: readonly Precondition[] = [
  suspended,
  desiredStatusForbids,
  outdatedCrds,
  sharedSecretName,
  foreignSecret,
  journalNotReady,
  attemptUnreadable,
  sealBroken,
  backingOff,
  issuerAbsent,
  issuerNotReady,
  unitReserved,
  accountStopped,
  accountPaused,
  statusMayBeLost,
];

/** What blocks a need, or undefined if it can be met now. Pure. */
export function firstBlocker(inputs: Inputs, need: Need): Blocker | undefined {
  if (need.remedy === 'updateStatus' || need.remedy === 'recordCaStatus') return undefined;
  return firstOf(preconditions, inputs, need);
}

/** While the journal is taken over nobody knows whether an attempt is open. It wakes the certificate when it is ready. */
function journalNotReady({ hasJournal }: Inputs): Blocker | undefined {
  if (hasJournal) return undefined;
  return { reason: 'JournalNotReady', message: 'The journal of attempts is being read.', isBrief: true };
}

/** What an attempt may have bought that nobody can read is not bought again. */
function attemptUnreadable({ unreadable }: Inputs, { remedy }: Need): Blocker | undefined {
  if (unreadable === undefined || (remedy !== 'issue' && remedy !== 'renew')) return undefined;
  return {
    reason: 'AttemptUnreadable',
    message: `The operator's journal has an attempt for this resource that this version cannot read, so nothing is bought. Run the version that wrote it; or find out at TinyCert what it bought, then delete the key ${unreadable} from the journal's Secret.`,
  };
}

/** Why nothing is done with an id that nobody can prove. */
export const SEAL_BROKEN: Reason = {
  reason: 'SealBroken',
  message: `${BROKEN_SEAL}, so the certificate id in it is not trusted. To have a new certificate issued, change the spec, or delete the resource and create it again.`,
};

/** A private key is never fetched on the word of a status that somebody else may have written. */
function sealBroken({ sealed }: Inputs, { remedy }: Need): Blocker | undefined {
  return sealed === false && remedy === 'republish' ? SEAL_BROKEN : undefined;
}

function issuerAbsent(inputs: Inputs): Blocker | undefined {
  const { certificate, issuer, issuerExists, issuerKindInstalled } = inputs;
  if (issuer) return undefined;
  const { kind, name } = certificate.spec.issuerRef;
  if (!issuerKindInstalled) return kindNotInstalled(certificate);
  if (issuerExists)
    return { reason: 'IssuerNotReady', message: `${kind} ${name} is being checked.`, isBrief: true };
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
    message: `${kind} ${name} cannot be read, because the CRD of ${kind} is not installed: run kubectl apply -f crds/ from the operator's release. The operator then continues by itself.`,
  };
}

function issuerNotReady({ certificate, issuer }: Inputs): Blocker | undefined {
  return !issuer || issuer.ready ? undefined : waitsForIssuer(certificate);
}

/** An issuer that marks its certificates in the organizational unit leaves no room for another one there. */
function unitReserved({ certificate: { spec }, issuer }: Inputs, { remedy }: Need): Blocker | undefined {
  const unit = spec.subject?.organizationalUnit;
  if (remedy !== 'issue' || unit === undefined || !issuer?.ready || issuer.issuer.marksFor === undefined)
    return undefined;
  const { kind, name } = spec.issuerRef;
  return {
    reason: 'OrganizationalUnitReserved',
    message: `${kind} ${name} marks its certificates in the organizational unit (OU), so subject.organizationalUnit cannot be "${unit}": leave it out, or use another issuer.`,
  };
}

function accountStopped({ certificate, turn }: Inputs): Blocker | undefined {
  return turn.phase === 'stopped' ? { ...waitsForIssuer(certificate), wakeBy: 'gate' } : undefined;
}

/** Why a certificate waits for its issuer. The words never change, so it is one write however often the issuer's do. */
export function waitsForIssuer({ spec }: Inputs['certificate']): Reason {
  const { kind, name } = spec.issuerRef;
  return {
    reason: 'IssuerNotReady',
    message: `${kind} ${name} is not ready; its own conditions say why. The operator continues by itself as soon as it is.`,
  };
}
