import type { CertificateStatus, FormerAccount } from '../../api/tinycert/certificate-status.ts';
import { stopsOf } from '../../account/stops.ts';
import { type AccountDigest, certificateOf, certificateRef } from '../../api/tinycert/identity.ts';
import { accountIn, withFormer } from '../../issuance/tinycert/claims.ts';
import { attemptOwner, groupOf, requestKey } from '../../issuance/tinycert/attempt.ts';
import { leaving } from '../../issuance/tinycert/former-accounts.ts';
import { abandoned } from '../../issuance/tinycert/records.ts';
import { isAtCa } from '../../issuance/tinycert/lookup.ts';
import { isSealed } from '../../issuance/tinycert/seal.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import { X509Error } from '../../x509/errors.ts';
import { endAttempt } from '../context/attempts.ts';
import { callOptions, DECIDE_AGAIN_MS, type Task, type Work, workOf } from '../context/work.ts';
import { record, type StatusChange } from '../status/record.ts';
import { isFromAuthority } from './proven-id.ts';

/** What follows is decided from the status as it is now. */
const AGAIN: ReconcileResult = { requeueAfterMs: DECIDE_AGAIN_MS };

/**
 * Makes the status one of the account that the issuer has now, in a write of its own: what it names of another account
 * becomes a former account, unless that is this one at another endpoint; and what the resource has left at this one before
 * becomes its own again. Resolves with when to go on, or with undefined if there was nothing to change. Rejects with a
 * `TinyCertError` or an `ApiError`, and as `View.open` does.
 */
export async function changeAccount(task: Task): Promise<ReconcileResult | undefined> {
  const { deps, inputs, view, signal, log } = task;
  const { certificate, issuer, crdsFit } = inputs;
  const { status } = certificate;
  if (!issuer?.ready || !crdsFit || !view) return undefined;
  const { account } = issuer.issuer;
  const left = leaving(status, account.digest);
  if (left && (await isSameAccount(workOf(task)))) {
    // The journal wakes the resource when it has room.
    if (!(await moveAttempt(workOf(task), accountIn(status)))) return {};
    const change = renamed(status, account.digest);
    await record(deps, { certificate, change, sealer: account, signal });
    log.info({ former: accountIn(status) }, 'The account is the one before at another endpoint');
    return AGAIN;
  }
  if (left) {
    await deps.statuses.write({ certificate, change: left, signal });
    log.info(
      { former: accountIn(status) },
      'The issuer has another account; the resource leaves the one before',
    );
    return AGAIN;
  }
  const former = status?.formerAccounts?.find((each) => each.account === account.digest);
  if (!former || accountIn(status) !== undefined) return undefined;
  if (!isSealed(account, { metadata: certificate.metadata, status: former })) return undefined;
  const others = status?.formerAccounts?.filter((each) => each !== former) ?? [];
  const formerAccounts = others.length === 0 ? null : others;
  if (isServedStill(status, former)) {
    const { serialNumber: _, notAfter: __, revision: ___, ...sealed } = former;
    await deps.statuses.write({ certificate, change: { ...sealed, formerAccounts }, signal });
  } else {
    await record(deps, {
      certificate,
      change: { ...withoutCertificate(former), formerAccounts },
      sealer: account,
      signal,
    });
  }
  log.info({}, 'The issuer has an account again that the resource had left');
  return AGAIN;
}

/**
 * An open attempt at the account goes on under its other name. Resolves with whether it does; the journal wakes the resource when it
 * has room. A crash between the two writes leaves both, which the next try ends. One that nobody can read stays where it is.
 */
async function moveAttempt(work: Work, from: AccountDigest | undefined): Promise<boolean> {
  const { deps, inputs, issuer, view } = work;
  const { namespace, uid = '' } = inputs.certificate.metadata;
  const { account } = issuer.authority;
  const [before, after] = [from ? attemptOwner(uid, from) : undefined, attemptOwner(uid, account)];
  const found = before === undefined ? undefined : view.entry(before);
  if (before === undefined || found?.is !== 'open') return true;
  if (found.isPutBack) {
    // Under the other name nobody would know that it was put back (`putBackUnsure`).
    endAttempt(deps, view, before, found.id, [abandoned(view, uid, { ...found.entry, account })]);
    return true;
  }
  if (!view.entry(after)) {
    const attempt = { ...found.entry, account };
    const request = requestKey(attempt, attempt);
    const opened = await view.open({
      owner: after,
      group: groupOf(attempt, namespace),
      ...(request === undefined ? {} : { request }),
      make: () => attempt,
    });
    if (opened.is === 'parked') return false;
  }
  endAttempt(deps, view, before, found.id);
  return true;
}

/** Whether the Secret still has the certificate of a former account: none of another account has replaced it. */
function isServedStill(
  status: CertificateStatus | undefined,
  { serialNumber, revision }: FormerAccount,
): boolean {
  if (serialNumber === undefined) return true;
  // Two CAs may give the same serial number.
  return status?.serialNumber === serialNumber && (revision === undefined || status.revision === revision);
}

/** What a former account keeps of a resource that has got another certificate since. */
function withoutCertificate(former: FormerAccount): StatusChange {
  const { pendingRevocations } = former;
  const replaced = certificateRef(former);
  const { kept } = withFormer(former, ...(replaced ? [replaced] : []));
  return {
    ...(pendingRevocations ? { pendingRevocations } : {}),
    ...(kept.length > 0 ? { formerCertificates: kept } : {}),
  };
}

/**
 * Whether the issuer's account is the one that the status names, moved to another endpoint or given another e-mail address:
 * the seal holds, its authority signed the certificate in the Secret, and it has exactly that certificate under the
 * id in status.
 */
async function isSameAccount(work: Work): Promise<boolean> {
  const { deps, inputs, issuer, signal } = work;
  const { certificate, sealed } = inputs;
  const { status } = certificate;
  const before = certificateRef(status);
  const { account, authority } = issuer;
  if (!sealed || before?.authorityId !== authority.authorityId) return false;
  const secret =
    inputs.secret.state === 'unchanged'
      ? await deps.certificateSecrets.read(certificate, signal)
      : inputs.secret;
  const content = secret.state === 'changed' ? secret.content : undefined;
  if (!content || content.leaf.serialNumber !== status?.serialNumber) return false;
  try {
    if (!(await isFromAuthority(content, issuer))) return false;
    const here = certificateOf(authority, before.certificateId);
    return await isAtCa(account, here, content.leaf, callOptions(work));
  } catch (error) {
    // The CA refuses what is another account's, and what it answers instead of a certificate proves nothing.
    if (error instanceof X509Error) return false;
    if (error instanceof TinyCertError && stopsOf(error) === 'nobody' && !signal.aborted) return false;
    throw error;
  }
}

/** The change that gives the sealed part of a status another account. */
function renamed(status: CertificateStatus = {}, account: AccountDigest): StatusChange {
  const { formerCertificates, pendingRevocations } = status;
  return {
    account,
    ...(formerCertificates
      ? { formerCertificates: formerCertificates.map((each) => ({ ...each, account })) }
      : {}),
    ...(pendingRevocations
      ? { pendingRevocations: pendingRevocations.map((each) => ({ ...each, account })) }
      : {}),
  };
}
