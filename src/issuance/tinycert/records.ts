import { z } from 'zod';
import {
  type AuthorityRef,
  authorityKey,
  certificateFields,
  authorityFields,
  type CertificateRef,
  certificateKey,
  isSameAuthority,
} from '../../api/tinycert/identity.ts';
import type { Recording } from '../../journal/group.ts';
import type { Codec, Section, View } from '../../journal/section.ts';
import { type Attempt, floorOf } from './attempt.ts';

/** A certificate that its resource gave up. No other resource adopts it. */
const Released = z.object({
  is: z.literal('released'),
  ...certificateFields,
  /** `placeHash` of the key of the issuer that shows it, if it turns out to be an orphan. */
  issuer: z.string(),
  /**
   * `Deleted`: the resource was deleted. `Undecided`: nobody could determine which resource bought it. Absent: its resource had
   * no room for it any more.
   */
  cause: z.enum(['Deleted', 'Undecided']).exactOptional(),
});
export type Released = z.output<typeof Released>;

/** An attempt that was given up before its result was known. It may have bought a certificate. */
const Abandoned = z.object({
  is: z.literal('abandoned'),
  ...authorityFields,
  /** Of the resource that made it. */
  uid: z.string(),
  /** As in the attempt. */
  resource: z.string(),
  issuer: z.string(),
  requestHash: z.string(),
  nameHash: z.string(),
  /** A certificate that it bought has a higher id, and began in this time on the CA's clock. */
  afterId: z.number(),
  since: z.string(),
  until: z.string(),
});
export type Abandoned = z.output<typeof Abandoned>;

const GivenUp = z.discriminatedUnion('is', [Released, Abandoned]);
/** What the journal remembers of certificates and attempts beyond their resources. */
export type GivenUp = z.output<typeof GivenUp>;

/** Reads a record from the journal. */
export const readGivenUp: Codec<GivenUp> = (value) => GivenUp.safeParse(value).data;

/** TinyCert's part of the journal. */
export type TinyCertJournal = Section<Attempt, GivenUp>;
export type TinyCertView = View<Attempt, GivenUp>;
type Records = Pick<TinyCertView, 'records' | 'recorded'>;

/** What is on record about one authority. */
export interface RecordsOf {
  released: readonly Released[];
  abandoned: readonly Abandoned[];
}

/** What the journal has on record about one authority. */
export function recordsOf(view: Pick<Records, 'records'>, authority: AuthorityRef): RecordsOf {
  const released: Released[] = [];
  const abandoned: Abandoned[] = [];
  for (const each of view.records()) {
    if (!isSameAuthority(each, authority)) continue;
    if (each.is === 'released') released.push(each);
    else abandoned.push(each);
  }
  return { released, abandoned };
}

/**
 * Puts certificates on record that a resource gave up. `issuer`: `placeHash` of its issuer's key; `group`: whose room it takes, as
 * of the resource's attempts. A deliberate release outweighs one that was recorded because the owner is unknown.
 */
export function released(
  view: Pick<Records, 'recorded'>,
  certificates: readonly CertificateRef[],
  { issuer, cause, group }: { issuer: string; cause?: Released['cause']; group?: string },
): Recording[] {
  return certificates.flatMap(({ account, authorityId, certificateId }) => {
    const name = `released ${certificateKey({ account, authorityId, certificateId })}`;
    const known = view.recorded(name);
    if (known?.is === 'released' && (known.cause !== 'Undecided' || cause === 'Undecided')) return [];
    const record: Released = {
      is: 'released',
      account,
      authorityId,
      certificateId,
      issuer,
      ...(cause === undefined ? {} : { cause }),
    };
    return [{ name, record, ...(group === undefined ? {} : { group }) }];
  });
}

/**
 * Puts an attempt on record whose result nobody knows (`recordAbandoned`), beside others of the same resource for the same
 * request, so that an outage does not push out other records. `uid`: of the resource.
 */
export function abandoned(view: Pick<Records, 'recorded'>, uid: string, attempt: Attempt): Recording {
  const { account, authorityId, requestHash, nameHash, resource, issuer, since, until } = attempt;
  const name = `abandoned ${uid} ${authorityKey(attempt)} ${requestHash}`;
  const known = view.recorded(name);
  const record: Abandoned = {
    is: 'abandoned',
    account,
    authorityId,
    uid,
    resource,
    issuer,
    requestHash,
    nameHash,
    afterId: floorOf(attempt),
    since,
    until,
  };
  return { name, record: known?.is === 'abandoned' ? joined(known, record) : record };
}

function joined(before: Abandoned, after: Abandoned): Abandoned {
  const [since = before.since] = [before.since, after.since].sort(byTime);
  const [, until = after.until] = [before.until, after.until].sort(byTime);
  return { ...after, afterId: Math.min(before.afterId, after.afterId), since, until };
}

function byTime(a: string, b: string): number {
  return Date.parse(a) - Date.parse(b);
}
