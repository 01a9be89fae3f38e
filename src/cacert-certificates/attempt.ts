import { z } from 'zod';
import type { CAcertCertificateStatus, CAcertUnserved } from '../api/cacert/certificate-status.ts';
import type { CAcertCertificate } from '../api/kinds.ts';
import type { AttemptKnowledge } from '../issuance/attempt/open-attempts.ts';
import type { OpenAttempts } from '../issuance/attempt/open-attempts.ts';
import type { Timing } from '../issuance/attempt/timing.ts';
import type { StatusChange } from '../issuance/status/writer.ts';
import type { Codec, Section, View } from '../journal/section.ts';
import type { Clock } from '../lib/clock.ts';
import { canonicalJson } from '../lib/hash.ts';
import { ATTEMPT_PERIOD_MS } from './backoffs.ts';
import { pendingSecretRef } from './pending-keys.ts';

/** What stands in the journal of an attempt before CAcert is asked. Its key is in the pending Secret. */
const Entry = z.object({
  /** To the millisecond. */
  startTime: z.string(),
  specHash: z.string(),
  /** SHA-256 of the public key in the request, in hexadecimal. */
  publicKeyHash: z.string(),
  /** Why a certificate was needed, as one word. */
  reason: z.string(),
});
export type CAcertEntry = z.output<typeof Entry>;

export const readEntry: Codec<CAcertEntry> = (value) => Entry.safeParse(value).data;

/** CAcert lists nothing, so there is nothing that a record could be compared with: nothing is recorded. */
export type CAcertJournal = Section<CAcertEntry, never>;
export type CAcertView = View<CAcertEntry, never>;

/** An attempt without a result, and what this process knows of it. */
export interface OpenAttempt extends AttemptKnowledge<string> {
  id: string;
  /** Undefined if it cannot be read: then it may have bought something, and nobody knows when or for which key. */
  entry: CAcertEntry | undefined;
}

/** The open attempt of a resource. One that status names already has its result there and is removed (`namedDropped`). */
export function openAttempt(
  { attempts, clock, timing }: { attempts: OpenAttempts<string>; clock: Clock; timing: Timing },
  view: CAcertView | undefined,
  { metadata: { uid = '' }, status }: CAcertCertificate,
): OpenAttempt | undefined {
  const found = view?.entry(uid);
  if (!view || !found) return undefined;
  const { id } = found;
  if (id === status?.attemptId) {
    attempts.forget(uid);
    view.removeLater({ owner: uid, id });
    return undefined;
  }
  const known = attempts.knowledgeOf(uid, id, clock.monotonic(), timing);
  return { id, entry: found.is === 'open' ? found.entry : undefined, ...known };
}

/** The attempt has ended, and status says how: its entry goes with the journal's next write. */
export function endAttempt(
  { attempts }: { attempts: OpenAttempts<string> },
  view: CAcertView | undefined,
  { metadata: { uid = '' } }: Pick<CAcertCertificate, 'metadata'>,
  { id }: Pick<OpenAttempt, 'id'>,
): void {
  attempts.forget(uid);
  view?.removeLater({ owner: uid, id });
}

type Change = StatusChange<CAcertCertificateStatus>;

/** An attempt, and what its end is judged by. */
interface Ended {
  certificate: CAcertCertificate;
  specHash: string;
  attempt: OpenAttempt | undefined;
  now: number;
}

/** The end of an attempt that may have bought a certificate which is not served. */
export function unservedAfter(
  inputs: Ended,
  outcome: CAcertUnserved['outcome'],
  requestId: { requestId?: string } = {},
): Change {
  const { certificate, specHash, attempt } = inputs;
  const { unserved: before } = certificate.status ?? {};
  return {
    ...nameOf(inputs),
    attemptTimes: attemptsInPeriod(inputs),
    // A merge patch keeps what it does not name.
    unserved: {
      ...(before?.requestId === undefined ? {} : { requestId: null }),
      outcome,
      secretName: pendingSecretRef(certificate).name,
      specHash: attempt?.entry?.specHash ?? specHash,
      publicKeyHash: attempt?.entry?.publicKeyHash ?? '',
      ...requestId,
    } as CAcertUnserved,
  };
}

/** The end of an attempt that bought nothing for certain. Its key may have replaced the one that status speaks of. */
export function refusedAfter(inputs: Ended): Change {
  const { certificate, attempt } = inputs;
  const { unserved } = certificate.status ?? {};
  const isSameKey = unserved?.publicKeyHash === attempt?.entry?.publicKeyHash;
  return { ...nameOf(inputs), ...(unserved && !isSameKey ? { unserved: null } : {}) };
}

/** The end of the attempts for a key whose certificate is served. Attempts for another key are not touched. */
export function servedAfter(inputs: Ended, publicKeyHash: string): Change {
  const { certificate } = inputs;
  const isOurs = startOf(inputs, publicKeyHash) !== undefined;
  return {
    ...(isOurs ? { ...nameOf(inputs), attemptTimes: attemptsInPeriod(inputs) } : {}),
    ...(certificate.status?.unserved?.publicKeyHash === publicKeyHash ? { unserved: null } : {}),
  };
}

/** When the open attempt was made, if it is for this key. */
export function startOf({ attempt }: Pick<Ended, 'attempt'>, publicKeyHash: string): string | undefined {
  return attempt?.entry?.publicKeyHash === publicKeyHash ? attempt.entry.startTime : undefined;
}

/** Whether somebody has changed what status says of attempts and their results (`resultReread`). */
export function hasOtherResult(before: CAcertCertificate, { status: now }: CAcertCertificate): boolean {
  const of = (status: CAcertCertificateStatus = {}): unknown => {
    const { attemptId, unserved, serialNumber, revision } = status;
    return { attemptId, unserved, serialNumber, revision };
  };
  return canonicalJson(of(before.status)) !== canonicalJson(of(now));
}

function nameOf({ attempt }: Ended): Change {
  return attempt ? { attemptId: attempt.id } : {};
}

/**
 * The start times of the attempts of the last 24 hours that may have bought something. An attempt that CAcert refused, or
 * that was never sent, costs nothing.
 */
export function attemptsInPeriod({
  certificate: { status },
  attempt,
  now,
}: Pick<Ended, 'certificate' | 'attempt' | 'now'>): string[] {
  const open = attempt?.progress.is === 'unsent' ? undefined : attempt?.entry?.startTime;
  const since = now - ATTEMPT_PERIOD_MS;
  return [
    ...(status?.attemptTimes ?? []).filter((time) => Date.parse(time) > since && Date.parse(time) <= now),
    // It may have been made after this decision began.
    ...(open !== undefined && Date.parse(open) > since ? [open] : []),
  ];
}
