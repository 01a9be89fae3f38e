import { z } from 'zod';
import {
  type AccountDigest,
  type AuthorityRef,
  authorityFields,
  authorityKey,
  type CertificateRef,
  certificateRef,
  isSameAuthority,
} from '../../api/tinycert/identity.ts';
import type { Codec } from '../../journal/section.ts';
import { sha256Hex } from '../../lib/hash.ts';
import { normalCommonName } from '../../x509/names.ts';
import type { AttemptKnowledge } from '../attempt/open-attempts.ts';
import { isMarked } from './marker.ts';
import { type Request, requestHash } from './request.ts';

/**
 * One attempt to issue or reissue, as it stands in the journal before TinyCert is called. It holds no text of a tenant
 * (`fixedSize`): names are digests.
 */
const Attempt = z.object({
  ...authorityFields,
  operation: z.enum(['New', 'Reissue']),
  /** When it was made, to the millisecond. */
  startTime: z.string(),
  /** Of the names and the subject that the spec asked for. */
  specHash: z.string(),
  /** Of all names and the whole subject in the request. */
  requestHash: z.string(),
  /** Of the requested common name. */
  nameHash: z.string(),
  /** Of the resource's namespace and name. */
  resource: z.string(),
  /** Of the key of the issuer. */
  issuer: z.string(),
  /** Whether the request carries an ownership marker, so that nothing that another resource buys is mistaken for its purchase. */
  isMarked: z.boolean(),
  /** The revision that status has with its result. */
  revision: z.number(),
  /** The certificate to reissue. */
  previousId: z.number().exactOptional(),
  /** The highest certificate id known at the authority before: what it buys has a higher one. */
  afterId: z.number(),
  /** The earliest and, most likely, the latest start of a certificate that it buys, on the CA's clock. */
  since: z.string(),
  until: z.string(),
  /** Why a certificate was needed, as one word. */
  reason: z.string(),
  /** How often the CA's answer to this request was in doubt, one attempt after the other (`replyOnce`). */
  doubts: z.number().exactOptional(),
  /** What it bought, if that could not be published at once. */
  certificateId: z.number().exactOptional(),
});
export type Attempt = z.output<typeof Attempt>;

/** Reads an attempt from the journal. */
export const readAttempt: Codec<Attempt> = (value) => Attempt.safeParse(value).data;

/** An attempt without a result, and what this process knows of it. */
export interface OpenAttempt extends AttemptKnowledge<CertificateRef> {
  /** The id of its entry, which the result names. */
  id: string;
  attempt: Attempt;
  /** It stood in a journal that was put back (`putBackUnsure`). */
  isPutBack: boolean;
}

/** The contents of a new attempt. */
export interface AttemptWish {
  authority: AuthorityRef;
  operation: 'New' | 'Reissue';
  /** The request to the CA. */
  request: Request;
  specHash: string;
  reason: string;
  /** Whose it is: `placeHash` of the resource and of the issuer's key. */
  resource: string;
  issuer: string;
  revision: number;
  /** The certificate to reissue. */
  previousId?: number | undefined;
  /** The highest known certificate id of the authority. */
  afterId: number;
  /** The earliest and the latest date of the certificate that it buys, in milliseconds since the epoch. */
  dates: { since: number; until: number };
  /** The open attempt that it replaces, and whether a recovery found nothing that that one can have bought. */
  replaced?: { attempt: Attempt; boughtNothing: boolean } | undefined;
}

/**
 * Makes the attempt to record before the request is sent. If it replaces one for the same request, it reaches as far back in
 * time, and in ids unless a recovery was conclusive (`freshAfterId`), so that a recovery can still find what the earlier one
 * bought; and a reissue starts from the same certificate (`againAsItWas`). It reaches back in time only without a gap between
 * the two: anything bought in a gap was not bought by us.
 */
export function newAttempt(wish: AttemptWish, now: number): Attempt {
  const { authority, operation, request, specHash, reason, resource, issuer, revision, dates } = wish;
  const hash = requestHash(request);
  const earlier = wish.replaced?.attempt;
  const isSame = earlier?.requestHash === hash && isSameAuthority(earlier, authority);
  const replaced = isSame ? earlier : undefined;
  const isKept = replaced !== undefined && wish.replaced?.boughtNothing === false;
  const { since, until } = dates;
  const goesOn = replaced !== undefined && Date.parse(replaced.until) >= since;
  const previousId =
    replaced?.operation === 'Reissue' ? (replaced.previousId ?? wish.previousId) : wish.previousId;
  return {
    ...authority,
    operation,
    startTime: new Date(now).toISOString(),
    specHash,
    requestHash: hash,
    nameHash: nameHash(request.names.commonName),
    resource,
    issuer,
    isMarked: isMarked(request.subject),
    revision,
    ...(operation === 'Reissue' && previousId !== undefined ? { previousId } : {}),
    afterId: isKept ? Math.min(replaced.afterId, wish.afterId) : wish.afterId,
    since: new Date(goesOn ? Math.min(Date.parse(replaced.since), since) : since).toISOString(),
    until: new Date(until).toISOString(),
    reason: reason.slice(0, MAX_REASON),
    ...(replaced?.doubts === undefined ? {} : { doubts: replaced.doubts }),
  };
}

const MAX_REASON = 64;
const DIGITS = 32;

/** Stands for a common name, in whatever case it is written. */
export function nameHash(commonName: string): string {
  return sha256Hex(normalCommonName(commonName)).slice(0, DIGITS);
}

/** Stands for the name of an object: of a resource, or the key of an issuer. */
export function placeHash(key: string): string {
  return sha256Hex(key).slice(0, DIGITS);
}

/** Whose room in the journal attempts and records of resources of one namespace at one account take. */
export function groupOf({ account }: { account: AccountDigest }, namespace: string | undefined): string {
  return `${account} ${namespace}`;
}

/** The owner of the entry of a resource at an account: at each it may have one attempt. */
export function attemptOwner(uid: string, account: AccountDigest): string {
  return `${uid}.${account}`;
}

/** What at most one open attempt may ask for (`oneOpen`); undefined where the marker tells the purchases apart. */
export function requestKey(
  authority: AuthorityRef,
  attempt: Pick<Attempt, 'requestHash' | 'isMarked'>,
): string | undefined {
  return attempt.isMarked ? undefined : `${authorityKey(authority)} ${attempt.requestHash}`;
}

/** The account in the owner of an entry. Only this file makes one. */
export function accountOfOwner(owner: string): AccountDigest {
  return owner.slice(owner.indexOf('.') + 1) as AccountDigest;
}

/** The uid of the resource in the owner of an entry. */
export function uidOfOwner(owner: string): string {
  return owner.split('.', 1)[0] ?? '';
}

/** The floor of an attempt: the certificate id above which its purchase lies (`replyAboveFloor`). */
export function floorOf({
  operation,
  previousId,
  afterId,
}: Pick<Attempt, 'operation' | 'previousId' | 'afterId'>): number {
  return operation === 'Reissue' ? (previousId ?? afterId) : afterId;
}

/** The certificate that an attempt was to reissue. */
export function previousOf({ account, authorityId, previousId }: Attempt): CertificateRef | undefined {
  return certificateRef({ account, authorityId, certificateId: previousId });
}

/**
 * The certificate that an open attempt is known to have bought. In a journal that was put back, what an entry says of that may
 * have been given up since.
 */
export function boughtIn(open: OpenAttempt | undefined): CertificateRef | undefined {
  if (!open) return undefined;
  if (open.progress.is === 'bought') return open.progress.bought;
  return open.isPutBack ? undefined : certificateRef(open.attempt);
}
