import type { CertificateStatus, FormerAccount } from '../../api/tinycert/certificate-status.ts';
import type { AccountDigest } from '../../api/tinycert/identity.ts';
import { NO_FAILURE } from '../attempt/retry-backoff.ts';
import type { StatusChange } from '../status/writer.ts';
import { accountIn, claimsOf } from './claims.ts';
import { sealedFields } from './seal.ts';

/** The maximum in the schema. */
export const MAX_ACCOUNTS = 10;

/** The sealed part of a status, seal included, as it stands among the former accounts once the resource has left; undefined if it has none. */
export function ownPart(status: CertificateStatus | undefined): FormerAccount | undefined {
  const account = accountIn(status);
  if (!status || account === undefined) return undefined;
  const { serialNumber, notAfter, revision } = status;
  return {
    ...Object.fromEntries(
      partFields.filter((field) => status[field] !== undefined).map((field) => [field, status[field]]),
    ),
    account,
    ...(serialNumber === undefined ? {} : { serialNumber }),
    ...(notAfter === undefined ? {} : { notAfter }),
    ...(revision === undefined ? {} : { revision }),
  };
}

/** The change that makes this the sealed part of a status. */
export function asOwnPart(part: FormerAccount | undefined): StatusChange<CertificateStatus> {
  return Object.fromEntries(partFields.map((field) => [field, part?.[field] ?? null]));
}

const partFields = [...sealedFields, 'seal'] as const;

/**
 * The change of a status whose resource leaves its account: the sealed part, seal included, becomes a former account as it is,
 * so that it needs no key and loses nothing. Undefined if the status has nothing of another account than `present`, the
 * account that the resource uses now, if any.
 */
export function leaving(
  status: CertificateStatus | undefined,
  present: AccountDigest | undefined,
): StatusChange<CertificateStatus> | undefined {
  const left = ownPart(status);
  if (!left || left.account === present) return undefined;
  const others = (status?.formerAccounts ?? []).filter((each) => each.account !== left.account);
  const all = claimsOf(left).length === 0 ? others : [...others, left].slice(-MAX_ACCOUNTS);
  return {
    ...Object.fromEntries(
      partFields.filter((field) => left[field] !== undefined).map((field) => [field, null]),
    ),
    // What failed at one account says nothing about the next.
    ...NO_FAILURE,
    formerAccounts: all.length === 0 ? null : all,
  };
}

/** Whether something is to be done at a former account. `isReplaced`: the resource has another certificate by now. */
export function hasDuty(
  left: FormerAccount,
  { onReplace, isReplaced }: { onReplace: 'None' | 'Hold' | 'Revoke'; isReplaced: boolean },
): boolean {
  if ((left.pendingRevocations ?? []).length > 0) return true;
  return isReplaced && onReplace !== 'None' && left.certificateId !== undefined;
}
