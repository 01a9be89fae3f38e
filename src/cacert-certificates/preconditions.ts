import { firstOf } from '../lib/first-of.ts';
import type { CAcertAttempt } from '../api/cacert/certificate-status.ts';
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
import type { Reason } from '../lib/reason.ts';
import type { Inputs } from './inputs.ts';
import { examine, type Need } from './needs.ts';

type Policy = (inputs: Inputs, need: Need) => Blocker | undefined;

/** How often CAcert is asked for one resource in 24 hours at most: each accepted call is a certificate that nobody can take back. */
const MAX_ATTEMPTS_A_DAY = 6;
const DAY_MS = 86_400_000;

/** Everything that would fail after buying is refused before it. In this order: the first decides. */
const policies: readonly Policy[] = [
  suspended,
  outdatedCrds,
  sharedSecretName,
  foreignSecret,
  foreignPending,
  accountAbsent,
  accountNotReady,
  notOffered,
  mismatched,
  pastedInVain,
  waiting,
  askedTooOften,
  accountStopped,
  accountPaused,
];

/** What stands in the way of a need, or undefined if it can be met now. */
export function firstBlocker(inputs: Inputs, need: Need): Blocker | undefined {
  if (need.remedy === 'settle' || need.remedy === 'forget' || need.remedy === 'keep') return undefined;
  // What was signed already costs nothing more.
  const isPaid = need.remedy !== 'issue';
  const applying = isPaid ? policies.slice(0, policies.indexOf(foreignPending)) : policies;
  return firstOf(applying, inputs, need);
}

function foreignPending({ pending, certificate }: Inputs): Blocker | undefined {
  if (pending.state !== 'foreign') return undefined;
  return {
    reason: 'PendingSecretNotOwned',
    message: `The Secret that is to keep the key of ${certificate.metadata.name} until its certificate is there exists and was not made for it: delete it.`,
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

/** CAcert leaves out what an account may not have without a word, and the certificate is spent all the same. */
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
        ? 'none, which takes 50 assurance points'
        : names.map((each) => `"${each}"`).join(', ');
    return {
      reason: 'NameNotOffered',
      message: `CAcertAccount ${name} offers no name "${spec.commonName}" (it offers ${offers}): correct commonName, or leave it out.`,
    };
  }
  if (spec.codeSigning && !codeSigning) {
    return {
      reason: 'CodeSigningNotOffered',
      message: `CAcertAccount ${name} is not marked for code signing: have that done at CAcert, or leave codeSigning out.`,
    };
  }
  return undefined;
}

/** What came was not what was asked for: to ask again would only spend another certificate. */
function mismatched(inputs: Inputs): Blocker | undefined {
  const { certificate, pending, specHash, now } = inputs;
  const { attempt } = certificate.status ?? {};
  if (attempt?.outcome !== 'Mismatched' || attempt.specHash !== specHash) return undefined;
  const pem = pending.state === 'present' ? pending.certificate : undefined;
  const found = pem === undefined ? undefined : examine(inputs, pem);
  if (!found || !('fault' in found)) return undefined;
  const { reason, message } = found.fault;
  const blocker = { reason, message: `${message} It is not published${mismatchAdvice(attempt)}` };
  return reason === 'NotYetValid' ? { ...blocker, wakeBy: 'time', until: now + 60_000 } : blocker;
}

/** What to do about a certificate that is not what was asked for. */
export function mismatchAdvice({ pendingSecretName }: Pick<CAcertAttempt, 'pendingSecretName'>): string {
  return ` and no other one is asked for. It stands in the Secret ${pendingSecretName}: change the spec, or delete that Secret to have another one asked for.`;
}

/** Whoever pasted a certificate is told why it is not taken over, as long as no other one is asked for. */
function pastedInVain(inputs: Inputs): Blocker | undefined {
  const { certificate, pending } = inputs;
  const wait = waiting(inputs);
  const pem = pending.state === 'present' ? pending.certificate : undefined;
  const { attempt } = certificate.status ?? {};
  if (!wait || pem === undefined || attempt?.outcome !== 'Uncertain') return undefined;
  const found = examine(inputs, pem);
  if (!found || !('fault' in found)) return undefined;
  return {
    ...wait,
    reason: 'IssuanceUncertain',
    message: `What stands under tls.crt in the Secret ${attempt.pendingSecretName} is not taken over: ${found.fault.message} Put the certificate there that CAcert signed for its key.`,
  };
}

/** After a failure the next try waits; a change of the spec ends the wait, and so does whoever throws the pending key away. */
function waiting(inputs: Inputs): Blocker | undefined {
  const { attempt } = inputs.certificate.status ?? {};
  const isKept = attempt?.outcome === 'Uncertain' || attempt?.outcome === 'Mismatched';
  return isKept && inputs.pending.state === 'absent' ? undefined : backingOff(inputs);
}

/**
 * When CAcert was asked within 24 hours, as far as something may have come of it: what it refused, and what never left this
 * process, costs nothing.
 */
export function attemptsOfADay({
  certificate: { status },
  attempt: known,
  now,
}: Pick<Inputs, 'certificate' | 'attempt' | 'now'>): string[] {
  const { attempt, attemptTimes = [] } = status ?? {};
  const isFree = attempt?.outcome === 'Refused' || known?.progress.is === 'unsent';
  return attemptTimes.filter((time) => {
    const at = Date.parse(time);
    return at > now - DAY_MS && at <= now && !(isFree && time === attempt?.startTime);
  });
}

function askedTooOften(inputs: Inputs): Blocker | undefined {
  const times = attemptsOfADay(inputs).map((time) => Date.parse(time));
  if (times.length < MAX_ATTEMPTS_A_DAY) return undefined;
  return {
    reason: 'TooManyAttempts',
    message: `CAcert was asked ${times.length} times within 24 hours, which is the most for one resource: see the events for what went wrong.`,
    wakeBy: 'time',
    until: Math.min(...times) + DAY_MS,
  };
}

function accountStopped({ certificate, turn }: Inputs): Blocker | undefined {
  return turn.phase === 'stopped' ? { ...waitsForAccount(certificate), wakeBy: 'gate' } : undefined;
}

/** Always the same words, so that it is one write however often the account changes its reason. */
export function waitsForAccount({ spec }: Pick<CAcertCertificate, 'spec'>): Reason {
  return {
    reason: 'AccountNotReady',
    message: `CAcertAccount ${spec.accountRef.name} is not ready; its own conditions say why. This goes on by itself as soon as it is.`,
  };
}
