import type { CAcertAccountStatus } from '../api/cacert/account-status.ts';
import { MAX_LENGTH, MAX_SHOWN } from '../api/cacert/account-status.ts';
import { cacertAccounts, type CAcertAccount } from '../api/kinds.ts';
import type { ReadyCAcertAccount } from '../issuance/cacert/directory.ts';
import { rfc3339, sameConditions, withConditions } from '../issuance/status/conditions.ts';
import { patchFindings } from '../issuance/status/patch.ts';
import { keyOf } from '../kube/objects.ts';
import { canonicalJson } from '../lib/hash.ts';
import type { Reason } from '../lib/reason.ts';
import { fingerprintOf } from '../x509/certificate.ts';
import type { Deps } from './deps.ts';

/** How an account stands. */
export type Report = ({ ready: true } | ({ ready: false } & Reason)) & {
  /** What was found of it; what was shown stays unless given. */
  found?: ReadyCAcertAccount;
};

/** Says in status how an account stands, in one write, if that is news. What somebody has to mend makes an event. */
export async function report(
  deps: Deps,
  resource: CAcertAccount,
  said: Report,
  signal: AbortSignal,
): Promise<void> {
  const { metadata, status } = resource;
  const { reason, message } = said.ready ? readyWords(said.found) : said;
  const conditions = withConditions(
    status?.conditions,
    [{ type: 'Ready', status: said.ready ? 'True' : 'False', reason, message }],
    { now: deps.clock.now(), generation: metadata.generation },
  );
  const { conditions: before, ...shownBefore } = status ?? {};
  const shown = said.found ? shownOf(said.found) : shownBefore;
  const isSame = sameConditions(before, conditions);
  if (isSame && canonicalJson(shown) === canonicalJson(shownBefore)) return;
  if (!said.ready && !isSame) deps.warn(resource, reason, message);
  const written = await patchFindings(deps, cacertAccounts, resource, { conditions, ...shown }, signal);
  deps.written.note(keyOf(resource), metadata.resourceVersion, written);
}

function readyWords(found: ReadyCAcertAccount | undefined): Reason {
  const count = found?.details.emails.length ?? 0;
  const addresses = count === 1 ? 'one verified e-mail address' : `${count} verified e-mail addresses`;
  return { reason: 'Ready', message: `CAcert accepts the login; the account has ${addresses}.` };
}

function shownOf({ details, bundle }: ReadyCAcertAccount): Omit<CAcertAccountStatus, 'conditions'> {
  const { names, emails, codeSigning } = details;
  return {
    names: names.slice(0, MAX_SHOWN).map(short),
    // CAcert gives them in any order.
    emails: emails.toSorted().slice(0, MAX_SHOWN).map(short),
    codeSigning,
    authorities: [...bundle.roots, ...bundle.intermediates].slice(0, 20).map((each) => ({
      subject: each.names.commonName.slice(0, 256),
      fingerprint: fingerprintOf(each),
      notAfter: rfc3339(each.notAfter),
    })),
  };
}

/** What the CRD has room for: the API server refuses more, and CAcert may say anything. */
function short(text: string): string {
  return text.slice(0, MAX_LENGTH);
}
