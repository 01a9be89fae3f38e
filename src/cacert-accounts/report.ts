import type { CAcertAccountStatus } from '../api/cacert/account-status.ts';
import { MAX_LENGTH, MAX_SHOWN } from '../api/cacert/account-status.ts';
import { cacertAccounts, type CAcertAccount } from '../api/kinds.ts';
import type { ReadyCAcertAccount } from '../issuance/cacert/directory.ts';
import { rfc3339 } from '../issuance/status/conditions.ts';
import { reportReady } from '../issuance/status/report-ready.ts';
import { canonicalJson } from '../lib/hash.ts';
import type { Reason } from '../lib/reason.ts';
import { fingerprintOf } from '../x509/certificate.ts';
import type { Deps } from './deps.ts';

/** What an account's status reports. */
export type Report = ({ ready: true } | ({ ready: false } & Reason)) & {
  /** What was found; without it, status keeps what it shows. */
  found?: ReadyCAcertAccount;
};

/** Authorities that status shows. */
const MAX_AUTHORITIES = 20;

/** Reports an account in its status, in one write, if that is news. */
export async function report(
  deps: Pick<Deps, 'kube' | 'clock' | 'crds' | 'warn' | 'written'>,
  resource: CAcertAccount,
  content: Report,
  signal: AbortSignal,
): Promise<void> {
  const { conditions: _, ...shownBefore } = resource.status ?? {};
  const change = content.found ? shownOf(content.found) : shownBefore;
  await reportReady(
    deps,
    { type: cacertAccounts, resource, written: deps.written },
    content.ready ? { ready: true, ...readyReason(content.found) } : content,
    { change, isNews: canonicalJson(change) !== canonicalJson(shownBefore) },
    signal,
  );
}

function readyReason(found: ReadyCAcertAccount | undefined): Reason {
  const count = found?.details.emails.length ?? 0;
  const addresses = count === 1 ? 'one verified e-mail address' : `${count} verified e-mail addresses`;
  return { reason: 'Ready', message: `CAcert accepts the login; the account has ${addresses}.` };
}

function shownOf({ details, bundle }: ReadyCAcertAccount): Omit<CAcertAccountStatus, 'conditions'> {
  const { names, emails, codeSigning } = details;
  return {
    names: names.slice(0, MAX_SHOWN).map(short),
    // CAcert lists them in varying order.
    emails: emails.toSorted().slice(0, MAX_SHOWN).map(short),
    codeSigning,
    authorities: [...bundle.roots, ...bundle.intermediates].slice(0, MAX_AUTHORITIES).map((each) => ({
      subject: each.names.commonName.slice(0, 256),
      fingerprint: fingerprintOf(each),
      notAfter: rfc3339(each.notAfter),
    })),
  };
}

/** Cuts a text to what the CRD allows: the API server refuses more, and CAcert may send anything. */
function short(text: string): string {
  return text.slice(0, MAX_LENGTH);
}
