import { randomUUID } from 'node:crypto';
import type { Attempt, CertificateStatus } from '../api/certificate-status.ts';
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

/** Whether the last attempt has no result yet: its certificate, if there is one, is not the resource's. */
export function isOpen(status: CertificateStatus | undefined): boolean {
  const attempt = status?.attempt;
  if (!attempt || attempt.outcome !== undefined) return false;
  return attempt.certificateId === undefined || attempt.certificateId !== status?.certificateId;
}

/** What this process knows of its own attempts beyond what is written. All of it may be lost: it only saves time. */
export class AttemptMemory {
  readonly #notes = new Map<string, AttemptNote>();

  /** Notes when an attempt was first seen here, once; the wait of a recovery counts from then. */
  seen(attemptId: string, monotonic: number): number {
    return this.#note(attemptId, monotonic).seenAt;
  }

  /** The attempt is about to be written; until `sent` it may be replaced at once, whatever becomes of the write. */
  prepared(attemptId: string, monotonic: number): void {
    this.#note(attemptId, monotonic).unsent = true;
  }

  /** The first byte of its request leaves. */
  sent(attemptId: string): void {
    const note = this.#notes.get(attemptId);
    if (note) note.unsent = false;
  }

  /** A recovery has looked, and found nothing that the attempt bought. */
  fruitless(attemptId: string, monotonic: number): void {
    this.#note(attemptId, monotonic).isFruitless = true;
  }

  /** The CA answered with this id; the resource does not hold it yet. */
  bought(attemptId: string, monotonic: number, certificateId: number): void {
    this.#note(attemptId, monotonic).certificateId = certificateId;
  }

  get(attemptId: string): Readonly<AttemptNote> | undefined {
    return this.#notes.get(attemptId);
  }

  /** The attempt is concluded or gone. */
  forget(attemptId: string): void {
    this.#notes.delete(attemptId);
  }

  get size(): number {
    return this.#notes.size;
  }

  #note(attemptId: string, monotonic: number): AttemptNote {
    const note = this.#notes.get(attemptId) ?? { seenAt: monotonic };
    this.#notes.set(attemptId, note);
    return note;
  }
}

interface AttemptNote {
  /** Monotonic milliseconds. */
  seenAt: number;
  unsent?: boolean;
  isFruitless?: boolean;
  certificateId?: number;
}
