import type { TinyCertCertificate } from '../../api/kinds.ts';
import type { FormerAccount } from '../../api/tinycert/certificate-status.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';
import { attemptOwner, groupOf, placeHash } from '../../issuance/tinycert/attempt.ts';
import { issuerKey } from '../../issuance/tinycert/issuer-directory.ts';
import { released, type TinyCertView } from '../../issuance/tinycert/records.ts';
import { BROKEN_SEAL, isSealed } from '../../issuance/tinycert/seal.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf } from '../../kube/objects.ts';
import type { Reason } from '../../lib/reason.ts';
import type { AccountDigest } from '../../api/tinycert/identity.ts';
import { claimsOf } from '../../issuance/tinycert/claims.ts';
import { giveUpAttempt } from '../recovery/give-up.ts';
import { type AccountAccess, accessTo } from '../context/account-access.ts';
import type { Deps } from '../context/deps.ts';
import { gather } from '../context/gather.ts';
import { DECIDE_AGAIN_MS } from '../context/work.ts';
import { revocationsOnDelete } from '../decide/revocations-due.ts';
import { accountsWithAttempt } from '../context/attempts.ts';
import { conclude, onlyAttempted, sealed, workWith } from '../revocation/former-accounts.ts';
import { afterFailedRevocation, isLostAccess, RECOVERING, reportPending } from '../revocation/pending.ts';
import { RELEASE_AFTER_MS } from './ca-access.ts';
import { givenUpBy } from './given-up.ts';
import { revokeOnce } from './revoke-once.ts';

/** Why a deleted resource waits for an account that is stopped. */
const STOPPED: Reason = {
  reason: 'FormerAccountUnavailable',
  message:
    'The issuers of an account that this resource used before are not ready; their own conditions say why. What is due there is done as soon as one is ready; this resource is removed after that.',
};

/**
 * Does, at the accounts that a deleted resource has left, the holds and revocations that are due, one account after the other.
 * Each that is done is removed from status, so that a repeat starts after it. Resolves with when to go on, or undefined if
 * nothing is left to do. An account that nobody reaches is given up after ten minutes, with an event that names what is not
 * done. Rejects as `StatusWriter.write` does.
 */
export async function finalizeFormerAccounts(
  deps: Deps,
  certificate: TinyCertCertificate,
  {
    view,
    present,
    context,
  }: { view: TinyCertView; present: AccountDigest | undefined; context: ReconcileContext },
): Promise<ReconcileResult | undefined> {
  const { spec, status, metadata } = certificate;
  const isRevoked = (spec.revocation?.onDelete ?? 'None') !== 'None';
  const attempted = new Set(accountsWithAttempt(view, metadata.uid ?? ''));
  // At the account that the resource uses by now, an attempt is its own, and not of what is left there.
  const hasAttempt = ({ account }: FormerAccount): boolean =>
    isRevoked && account !== present && attempted.has(account);
  const all = [...(status?.formerAccounts ?? []), ...onlyAttempted(view, certificate, present)];
  const left = all.find((each) => revocationsOnDelete(spec, each).length > 0 || hasAttempt(each));
  if (!left) return undefined;
  const duty = { left, hasAttempt: hasAttempt(left), isPresent: left.account === present };
  const access = accessTo(deps, certificate, left.account);
  if (!access) return giveUpLater(deps, certificate, duty, { access, view, context });
  if (
    claimsOf(left).length > 0 &&
    !isSealed(access.issuer.account, { metadata: certificate.metadata, status: left })
  ) {
    const message = `${BROKEN_SEAL}, so the ids in it are not trusted. Check at TinyCert whether these certificates belonged to this resource and should be held or revoked: ${namesOf(certificate, duty)}.`;
    deps.warn(certificate, 'SealBroken', message);
    return forget(deps, certificate, duty, { view, context });
  }
  const uid = certificate.metadata.uid ?? '';
  const waits = deps.revocationRetries.waits(uid, deps.clock.monotonic());
  if (waits > 0) return { requeueAfterMs: waits };
  const { gate } = access.issuer.account;
  if (!access.isLast && gate.isStoppedFor(keyOf(certificate))) {
    gate.park(ticketOf(deps, { certificate, now: deps.clock.now() }));
    await reportPending(deps, certificate, STOPPED, context.signal);
    return {};
  }
  return finish(deps, certificate, duty, { access, view, context });
}

async function finish(
  deps: Deps,
  certificate: TinyCertCertificate,
  duty: Duty,
  { access, view, context }: { access: AccountAccess; view: TinyCertView; context: ReconcileContext },
): Promise<ReconcileResult> {
  const { left, isPresent } = duty;
  const { signal, log } = context;
  const { metadata, spec } = certificate;
  const uid = metadata.uid ?? '';
  const inputs = await gather(deps, certificate, view, signal);
  const work = workWith({ deps, inputs, view, signal, log }, access, left);
  try {
    const isRevoked = (spec.revocation?.onDelete ?? 'None') !== 'None';
    const concluded = isRevoked && !isPresent ? await conclude(work, left) : { left };
    if ('quietAfterMs' in concluded) {
      await reportPending(deps, certificate, RECOVERING, signal);
      return { requeueAfterMs: concluded.quietAfterMs };
    }
    // What the attempt bought is in status before it is revoked: the next try may come after another wait.
    const { end } = concluded;
    if (end) {
      const next = sealed(access.issuer, certificate, left, concluded.left);
      if (next !== left) await replace(deps, certificate, left, next, context);
      end();
      return { requeueAfterMs: DECIDE_AGAIN_MS };
    }
    const revocations = revocationsOnDelete(spec, left);
    const onHold = await revokeOnce(work, revocations, access.isLast);
    const issuer = placeHash(access.issuer.key);
    const group = groupOf(left, metadata.namespace);
    if (onHold.length > 0)
      await view.record(uid, released(view, onHold, { issuer, cause: 'Deleted', group }));
  } catch (error) {
    if (isLostAccess(access, error)) return giveUpLater(deps, certificate, duty, { access, view, context });
    const asked = { uid, key: keyOf(certificate), issuerKey: access.issuer.key, ...access };
    const { result, why } = afterFailedRevocation(deps, asked, error, signal);
    if (why) await reportPending(deps, certificate, why, signal);
    return result;
  }
  return forget(deps, certificate, duty, { view, context });
}

/** Removes a former account of a deleted resource from its status, and gives up an attempt there. */
function forget(
  deps: Deps,
  certificate: TinyCertCertificate,
  { left, isPresent }: Duty,
  { view, context }: { view: TinyCertView; context: ReconcileContext },
): Promise<ReconcileResult> {
  if (!isPresent) giveUpAttempt(deps, view, attemptOwner(certificate.metadata.uid ?? '', left.account));
  return replace(deps, certificate, left, undefined, context);
}

/** Writes what is left at a former account by now; nothing if `next` is undefined. */
async function replace(
  deps: Deps,
  certificate: TinyCertCertificate,
  left: FormerAccount,
  next: FormerAccount | undefined,
  { signal }: ReconcileContext,
): Promise<ReconcileResult> {
  const { formerAccounts = [] } = certificate.status ?? {};
  const isNoted = formerAccounts.includes(left);
  const changed = formerAccounts.flatMap((each) => (each === left ? (next ?? []) : each));
  const all = isNoted || !next ? changed : [...changed, next];
  const change = { formerAccounts: all.length === 0 ? null : all };
  await deps.statuses.write({ certificate, change, signal });
  const { uid = '' } = certificate.metadata;
  deps.revocationRetries.forget(uid);
  return { requeueAfterMs: DECIDE_AGAIN_MS };
}

async function giveUpLater(
  deps: Deps,
  certificate: TinyCertCertificate,
  duty: Duty,
  {
    access,
    view,
    context,
  }: { access: AccountAccess | undefined; view: TinyCertView; context: ReconcileContext },
): Promise<ReconcileResult> {
  const { metadata } = certificate;
  const { left } = duty;
  const reason = 'FormerAccountUnavailable';
  const what = `not held or revoked, since no issuer that is ready has their account: ${namesOf(certificate, duty)}`;
  const since = deps.revocationRetries.withoutAccess(metadata.uid ?? '', deps.clock.monotonic());
  if (since < RELEASE_AFTER_MS) {
    const message = `Certificates of an account that this resource used before are ${what}. Create an issuer with that account in this namespace, or make the one ready that has it. This resource is removed ten minutes after that was first found, and its certificates keep their status. Set onDelete to None to remove it at once.`;
    await reportPending(deps, certificate, { reason, message }, context.signal);
    return { requeueAfterMs: RELEASE_AFTER_MS - since };
  }
  context.log.error(
    { former: left },
    'Certificates are given up without the hold or revocation that was due',
  );
  deps.warnOperator(
    'RevocationAbandoned',
    `Certificates of resource ${metadata.namespace}/${metadata.name} are given up with their present status, ${what}.`,
  );
  // Status says nothing of them any more when the resource goes.
  const { records } = givenUpBy(
    deps,
    view,
    { ...certificate, status: left },
    {
      issuerKey: issuerKey(certificate.spec.issuerRef, metadata.namespace),
      sealers: [deps.installation, ...(access ? [access.issuer.account] : [])],
    },
  );
  if (records.length > 0) await view.record(metadata.uid ?? '', records);
  return forget(deps, certificate, duty, { view, context });
}

/** What is to be done at a former account. */
interface Duty {
  left: FormerAccount;
  hasAttempt: boolean;
  /** Whether the resource uses the account by now. */
  isPresent: boolean;
}

/** The certificates that are to be held or revoked at a former account, in words. */
function namesOf({ spec }: TinyCertCertificate, { left, hasAttempt }: Duty): string {
  const due = revocationsOnDelete(spec, left).map(
    ({ certificate: { authorityId, certificateId } }) => `${certificateId} of authority ${authorityId}`,
  );
  const attempt = hasAttempt ? ['what an attempt bought that has no result yet'] : [];
  return [...due, ...attempt].join(', ');
}
