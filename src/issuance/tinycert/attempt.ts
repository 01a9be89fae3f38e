import { randomUUID } from 'node:crypto';
import type { Attempt, CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import {
  type AuthorityRef,
  type CertificateRef,
  certificateRef,
  isSameAuthority,
  isSameCertificate,
} from '../../api/tinycert/identity.ts';
import { type Request, requestHash } from './request.ts';

/** The contents of a new attempt. */
export interface AttemptWish {
  authority: AuthorityRef;
  operation: 'New' | 'Reissue';
  /** The request to the CA. */
  request: Request;
  specHash: string;
  reason: string;
  /** The certificate to reissue. */
  previousId?: number | undefined;
  /** The highest known certificate id of the authority. */
  afterId: number;
  /** The earliest and the latest date of the certificate that it buys, in milliseconds since the epoch. */
  dates: { since: number; until: number };
}

/**
 * Makes the attempt to record before the request is sent (`attemptBeforeCall`). If it replaces an open attempt for the same
 * request, it reaches as far back in ids and in time (`keepAfterId`), so that a recovery can still find what the earlier one
 * bought. It reaches back in time only without a gap between the two: anything bought in a gap was not bought by us.
 */
export function newAttempt(
  wish: AttemptWish,
  status: CertificateStatus | undefined,
  holder: string,
  now: number,
): Attempt {
  const before = status?.attempt;
  const hash = requestHash(wish.request);
  const isReplaced =
    isOpen(status) && before?.requestHash === hash && isSameAuthority(before, wish.authority);
  const replaced = isReplaced ? before : undefined;
  const { since, until } = wish.dates;
  const goesOn = replaced?.until !== undefined && Date.parse(replaced.until) >= since;
  return {
    number: (before?.number ?? 0) + 1,
    id: randomUUID(),
    operation: wish.operation,
    holder,
    startTime: new Date(now).toISOString(),
    specHash: wish.specHash,
    ...(wish.operation === 'Reissue' && wish.previousId !== undefined ? { previousId: wish.previousId } : {}),
    afterId: replaced ? Math.min(replaced.afterId, wish.afterId) : wish.afterId,
    account: wish.authority.account,
    authorityId: wish.authority.authorityId,
    commonName: wish.request.names.commonName,
    requestHash: hash,
    since: new Date(goesOn ? Math.min(Date.parse(replaced.since), since) : since).toISOString(),
    until: new Date(until).toISOString(),
    reason: wish.reason,
    ...doubtsOf(status, hash),
  };
}

/** How often the CA's answer to the same request was in doubt, without a success since (`replyOnce`). */
function doubtsOf({ attempt, certificateId }: CertificateStatus = {}, hash: string): Pick<Attempt, 'doubts'> {
  if (attempt?.doubts === undefined || attempt.requestHash !== hash) return {};
  const isDone = attempt.certificateId !== undefined && attempt.certificateId === certificateId;
  return isDone ? {} : { doubts: attempt.doubts };
}

/** The floor of an attempt: the certificate id above which its purchase lies (`aboveAfterId`). */
export function floorOf({
  operation,
  previousId,
  afterId,
}: Pick<Attempt, 'operation' | 'previousId' | 'afterId'>): number {
  return operation === 'Reissue' ? (previousId ?? afterId) : afterId;
}

/** Whether the last attempt has no result yet: no outcome, and no certificate that the resource has adopted. */
export function isOpen(status: CertificateStatus | undefined): boolean {
  const attempt = status?.attempt;
  if (!attempt || attempt.outcome !== undefined) return false;
  return !isSameCertificate(attempt, status);
}

/** The certificate that an attempt was to reissue. */
export function previousOf({ account, authorityId, previousId }: Attempt): CertificateRef | undefined {
  return certificateRef({ account, authorityId, certificateId: previousId });
}
