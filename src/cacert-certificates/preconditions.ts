import { firstOf } from '../lib/first-of.ts';
import type { CAcertUnserved } from '../api/cacert/certificate-status.ts';
import type { CAcertCertificate } from '../api/kinds.ts';
import { wantedEmails } from '../api/cacert/effective.ts';
import type { Blocker } from '../issuance/decide/inputs.ts';
import {
  accountPaused,
  backingOff,
  foreignSecret,
  outdatedCrds,
  sharedSecretName,
  suspended,
} from '../issuance/decide/blockers.ts';
import { SECRET_FAULTS } from '../issuance/secret/not-written.ts';
import type { Reason } from '../lib/reason.ts';
import { attemptsInPeriod } from './attempt.ts';
import { ATTEMPT_PERIOD_MS, MAX_ATTEMPTS_PER_PERIOD, NOT_YET_VALID_CHECK_MS } from './backoffs.ts';
import type { Inputs } from './inputs.ts';
import { pendingSecretRef } from './pending-keys.ts';
import { faultBeside } from './examine.ts';
import type { Need } from './needs.ts';

type Policy = (inputs: Inputs, need: Need) => Blocker | undefined;

/** What would fail after a purchase is refused before it. The first policy that finds a blocker decides. */
const policies: readonly Policy[] = [
  suspended,
  outdatedCrds,
  sharedSecretName,
  foreignSecret,
  journalNotReady,
  secretRefused,
  foreignPending,
  accountAbsent,
  accountNotReady,
  notOffered,
  mismatched,
  pastedUnfit,
  waiting,
  askedTooOften,
  accountStopped,
  accountPaused,
];

/** What blocks a need, or undefined if it can be met now. */
export function firstBlocker(inputs: Inputs, need: Need): Blocker | undefined {
  if (need.remedy === 'updateStatus' || need.remedy === 'forget' || need.remedy === 'keep') return undefined;
  // A certificate that is bought already costs nothing more.
  const isPaid = need.remedy !== 'issue';
  const applying = isPaid ? policies.slice(0, policies.indexOf(foreignPending)) : policies;
  return firstOf(applying, inputs, need);
}

/**
 * What is bought waits only for a Secret that the API server refused or altered. After any other failure it is served at once: a person
 * may have put the certificate beside its key.
 */
function secretRefused(inputs: Inputs, { remedy }: Need): Blocker | undefined {
  if (remedy !== 'publish' && remedy !== 'adopt' && remedy !== 'syncSecret') return undefined;
  const wait = backingOff(inputs);
  return wait && SECRET_FAULTS.has(wait.reason) ? wait : undefined;
}

/** While the journal is taken over nobody knows whether an attempt is open. It wakes the certificate when it is ready. */
function journalNotReady({ hasJournal }: Inputs, { remedy }: Need): Blocker | undefined {
  if (hasJournal || remedy === 'syncSecret') return undefined;
  return { reason: 'JournalNotReady', message: 'The journal of attempts is being read.', isBrief: true };
}

function foreignPending({ pending, certificate }: Inputs): Blocker | undefined {
  if (pending.state !== 'foreign') return undefined;
  return {
    reason: 'PendingSecretNotOwned',
    message: `The Secret ${pendingSecretRef(certificate).name}, which has to store the key until the certificate arrives, exists already and was not made for this certificate: delete it.`,
  };
}

function accountAbsent({ certificate: { spec }, account, accountExists }: Inputs): Blocker | undefined {
  if (account) return undefined;
  const { name } = spec.accountRef;
  if (accountExists)
    return {
      reason: 'AccountNotReady',
      message: `CAcertAccount ${name} is being checked.`,
      isBrief: true,
    };
  return {
    reason: 'AccountNotFound',
    message: `There is no CAcertAccount ${name}: create it, or correct accountRef.`,
  };
}

function accountNotReady({ certificate, account }: Inputs): Blocker | undefined {
  return !account || account.ready ? undefined : waitsForAccount(certificate);
}

/** CAcert silently leaves out what an account may not have, and the certificate is spent all the same. */
function notOffered({ certificate: { spec }, account }: Inputs): Blocker | undefined {
  if (!account?.ready) return undefined;
  const { emails, names, codeSigning } = account.issuer.details;
  const offered = new Set(emails.map((email) => email.toLowerCase()));
  const missing = wantedEmails(spec).filter((email) => !offered.has(email.toLowerCase()));
  const { name } = spec.accountRef;
  if (missing.length > 0) {
    return {
      reason: 'EmailNotOffered',
      message: `CAcertAccount ${name} has no verified address ${missing.join(', ')}: verify it in the web account, or remove it from emailAddresses.`,
    };
  }
  if (spec.commonName !== undefined && !names.includes(spec.commonName)) {
    const offers =
      names.length === 0
        ? 'none: names require 50 assurance points'
        : names.map((each) => `"${each}"`).join(', ');
    return {
      reason: 'NameNotOffered',
      message: `CAcertAccount ${name} offers no name "${spec.commonName}" (it offers ${offers}): correct commonName, or leave it out.`,
    };
  }
  if (spec.codeSigning && !codeSigning) {
    return {
      reason: 'CodeSigningNotOffered',
      message: `CAcertAccount ${name} is not marked for code signing: have CAcert mark it, or remove codeSigning.`,
    };
  }
  return undefined;
}

/** The last certificate was not what the spec asks for. Asking again would only spend another one. */
function mismatched(inputs: Inputs): Blocker | undefined {
  const { certificate, specHash, now } = inputs;
  const { unserved } = certificate.status ?? {};
  if (unserved?.outcome !== 'Mismatched' || unserved.specHash !== specHash) return undefined;
  const fault = faultBeside(inputs);
  if (!fault) return undefined;
  const { reason, message } = fault;
  const blocker = { reason, message: `${message} It is not published${mismatchAdvice(unserved)}` };
  return reason === 'NotYetValid'
    ? { ...blocker, wakeBy: 'time', until: now + NOT_YET_VALID_CHECK_MS }
    : blocker;
}

/** The rest of a sentence: what to do about a certificate that is not what the spec asks for. */
export function mismatchAdvice({ secretName }: Pick<CAcertUnserved, 'secretName'>): string {
  return `, and the operator does not ask for another one. It is in the Secret ${secretName}: change the spec, or delete that Secret to ask for another certificate.`;
}

/** While the next attempt waits, tells the person who pasted a certificate why it is not adopted. */
function pastedUnfit(inputs: Inputs): Blocker | undefined {
  const wait = waiting(inputs);
  const { unserved } = inputs.certificate.status ?? {};
  if (!wait || unserved?.outcome !== 'Uncertain') return undefined;
  const fault = faultBeside(inputs);
  if (!fault) return undefined;
  return {
    ...wait,
    reason: 'IssuanceUncertain',
    message: `The certificate under tls.crt in the Secret ${unserved.secretName} is not adopted: ${fault.message} Replace it with the certificate that CAcert signed for this key.`,
  };
}

/** After a failure the next attempt waits. A change of the spec ends the wait, and so does deleting the pending Secret. */
function waiting(inputs: Inputs): Blocker | undefined {
  const isKept = inputs.certificate.status?.unserved !== undefined;
  return isKept && inputs.pending.state === 'absent' ? undefined : backingOff(inputs);
}

function askedTooOften(inputs: Inputs): Blocker | undefined {
  const times = attemptsInPeriod(inputs).map((time) => Date.parse(time));
  if (times.length < MAX_ATTEMPTS_PER_PERIOD) return undefined;
  return {
    reason: 'TooManyAttempts',
    message: `CAcert was asked ${times.length} times within 24 hours, which is the limit for one resource: its events show what went wrong.`,
    wakeBy: 'time',
    until: Math.min(...times) + ATTEMPT_PERIOD_MS,
  };
}

function accountStopped({ certificate, turn }: Inputs): Blocker | undefined {
  return turn.phase === 'stopped' ? { ...waitsForAccount(certificate), wakeBy: 'gate' } : undefined;
}

/** Always the same text, so it is written once however often the account changes its reason. */
export function waitsForAccount({ spec }: Pick<CAcertCertificate, 'spec'>): Reason {
  return {
    reason: 'AccountNotReady',
    message: `CAcertAccount ${spec.accountRef.name} is not ready; its own conditions say why. The operator continues by itself as soon as it is.`,
  };
}
