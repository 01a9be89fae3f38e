import type { CertificateStatus, FormerAccount } from '../../api/tinycert/certificate-status.ts';
import { certificateRef } from '../../api/tinycert/identity.ts';
import { accountIn, withFormer } from '../../issuance/tinycert/claims.ts';
import { leaving } from '../../issuance/tinycert/former-accounts.ts';
import { isSealed } from '../../issuance/tinycert/seal.ts';
import type { Task } from '../context/work.ts';
import { record, type StatusChange } from './record.ts';

/**
 * Makes the status one of the account that the issuer has now, in a write of its own: what it names of another account
 * becomes a former account, and what the resource has left at this one before becomes its own again. Resolves with whether it
 * wrote.
 */
export async function changeAccount({ deps, inputs, signal, log }: Task): Promise<boolean> {
  const { certificate, issuer, crdsFit } = inputs;
  const { status } = certificate;
  if (!issuer?.ready || !crdsFit) return false;
  const { account } = issuer.issuer;
  const left = leaving(status, account.digest);
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
