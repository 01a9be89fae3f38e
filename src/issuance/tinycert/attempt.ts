import { randomUUID } from 'node:crypto';
import type { Attempt, CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { type Request, requestHash } from './request.ts';

/** What a new attempt is for. */
export interface AttemptWish {
  operation: 'New' | 'Reissue';
  /** What the CA is to be asked for. */
  request: Request;
  specHash: string;
  reason: string;
  /** The certificate that a reissue starts from. */
  previousId?: number | undefined;
  /** The highest certificate id known of the authority. */
  afterId: number;
  /** Between which moments what it buys will begin, milliseconds since the epoch. */
  dates: { since: number; until: number };
}

/**
 * The record that is written before the CA is asked (rule 2). An attempt that replaces an open one for the same request
 * keeps how far back it looks, in ids and in time (`keepAfterId`): what the earlier one bought after all must stay within
 * reach of a recovery. In time only as long as one follows the other without a gap: whoever bought the same in the gap,
 * it was not us.
 */
export function newAttempt(
  wish: AttemptWish,
  status: CertificateStatus | undefined,
  holder: string,
  now: number,
): Attempt {
  const before = status?.attempt;
  const hash = requestHash(wish.request);
  const replaced = before && isOpen(status) && before.requestHash === hash ? before : undefined;
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
    authorityId: wish.request.authorityId,
    commonName: wish.request.names.commonName,
    requestHash: hash,
    since: new Date(goesOn ? Math.min(Date.parse(replaced.since), since) : since).toISOString(),
    until: new Date(until).toISOString(),
    reason: wish.reason,
  };
}

/** The id above which everything lies that an attempt can have bought (`aboveAfterId`). */
export function floorOf({
  operation,
  previousId,
  afterId,
}: Pick<Attempt, 'operation' | 'previousId' | 'afterId'>): number {
  return operation === 'Reissue' ? (previousId ?? afterId) : afterId;
}

/** Whether the last attempt has no result yet: its certificate, if there is one, is not the resource's. */
export function isOpen(status: CertificateStatus | undefined): boolean {
  const attempt = status?.attempt;
  if (!attempt || attempt.outcome !== undefined) return false;
  return attempt.certificateId === undefined || attempt.certificateId !== status?.certificateId;
}
