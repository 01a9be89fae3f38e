import type { CertificateStatus, FormerAccount } from '../../api/tinycert/certificate-status.ts';
import { stopsOf } from '../../account/stops.ts';
import { type AccountDigest, certificateOf, certificateRef } from '../../api/tinycert/identity.ts';
import { accountIn, withFormer } from '../../issuance/tinycert/claims.ts';
import { leaving } from '../../issuance/tinycert/former-accounts.ts';
import { isAtCa } from '../../issuance/tinycert/lookup.ts';
import { isSealed } from '../../issuance/tinycert/seal.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import { X509Error } from '../../x509/errors.ts';
import { callOptions, type Task, type Work, workOf } from '../context/work.ts';
import { record, type StatusChange } from '../status/record.ts';
import { isFromAuthority } from './proven-id.ts';

/**
 * Makes the status one of the account that the issuer has now, in a write of its own: what it names of another account
 * becomes a former account, unless that is this one at another endpoint; and what the resource has left at this one before
 * becomes its own again. Resolves with whether it wrote. Rejects with a `TinyCertError` or an `ApiError`.
 */
export async function changeAccount({ deps, inputs, signal, log }: Task): Promise<boolean> {
  const { certificate, issuer, crdsFit } = inputs;
  const { status } = certificate;
  if (!issuer?.ready || !crdsFit) return false;
  const { account } = issuer.issuer;
  const left = leaving(status, account.digest);
  if (left && (await isSameAccount(workOf({ deps, inputs, signal, log })))) {
    const change = renamed(status, account.digest);
    await record(deps, { certificate, change, sealer: account, signal });
    log.info({ former: accountIn(status) }, 'The account is the one before at another endpoint');
    return true;
  }
  if (left) {
    await deps.statuses.write({ certificate, change: left, signal });
    log.info(
      { former: accountIn(status) },
      'The issuer has another account; the resource leaves the one before',
    );
    return true;
  }
  const former = status?.formerAccounts?.find((each) => each.account === account.digest);
  if (!former || accountIn(status) !== undefined) return false;
  if (!isSealed(account, { metadata: certificate.metadata, status: former })) return false;
  const others = status?.formerAccounts?.filter((each) => each !== former) ?? [];
  const formerAccounts = others.length === 0 ? null : others;
  if (isServedStill(status, former)) {
    const { serialNumber: _, notAfter: __, ...sealed } = former;
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
  return true;
}

/** Whether the Secret still has the certificate of a former account: none of another account has replaced it. */
function isServedStill(status: CertificateStatus | undefined, { serialNumber }: FormerAccount): boolean {
  return serialNumber === undefined || status?.serialNumber === serialNumber;
}

/** What a former account keeps of a resource that has got another certificate since. */
function withoutCertificate(former: FormerAccount): StatusChange {
  const { attempt, pendingRevocations } = former;
  const replaced = certificateRef(former);
  const { kept } = withFormer(former, ...(replaced ? [replaced] : []));
  return {
    ...(attempt ? { attempt } : {}),
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
  const { attempt, formerCertificates, pendingRevocations } = status;
  return {
    account,
    ...(attempt ? { attempt: { ...attempt, account } } : {}),
    ...(formerCertificates
      ? { formerCertificates: formerCertificates.map((each) => ({ ...each, account })) }
      : {}),
    ...(pendingRevocations
      ? { pendingRevocations: pendingRevocations.map((each) => ({ ...each, account })) }
      : {}),
  };
}
