import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import {
  type AuthorityRef,
  type CertificateRef,
  certificateKey,
  isSameAuthority,
} from '../../api/tinycert/identity.ts';
import type { IssuerStatus } from '../../api/tinycert/issuer-status.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { canonicalJson } from '../../lib/hash.ts';
import { type Timing, quietAfter } from '../attempt/timing.ts';
import { rfc3339 } from '../status/conditions.ts';
import { floorOf } from './attempt.ts';

/** A certificate that a resource gave up, as its issuer remembers it. */
export type Released = NonNullable<IssuerStatus['released']>[number];
/** An attempt whose outcome nobody determined, as its issuer remembers it. */
export type Abandoned = NonNullable<IssuerStatus['abandoned']>[number];

/** What issuers remember of certificates and attempts beyond their resources (`recordGivenUp`, `recordAbandoned`). */
export interface ReleasedEntries {
  released: readonly Released[];
  abandoned: readonly Abandoned[];
}

/** A change of an issuer's memory. */
export interface ReleasedAddition extends Partial<ReleasedEntries> {
  /** Certificates that a resource adopted: they are no longer released. */
  adopted?: readonly CertificateRef[];
}

/** What an issuer's status records about one authority. */
export function recordsOf(
  {
    released: certificates = [],
    abandoned: attempts = [],
    orphans = [],
  }: Memory & Pick<IssuerStatus, 'orphans'>,
  authority: AuthorityRef,
): Required<Memory & Pick<IssuerStatus, 'orphans'>> {
  const isAbout = (each: AuthorityRef): boolean => isSameAuthority(each, authority);
  return {
    released: certificates.filter(isAbout),
    abandoned: attempts.filter(isAbout),
    orphans: orphans.filter(isAbout),
  };
}

type Owner = Pick<KubeObject['metadata'], 'namespace' | 'name'>;

/** The entries for certificates that `owner` gave up at `at`, in milliseconds since the epoch. */
export function released(
  owner: Owner,
  certificates: readonly CertificateRef[],
  at: number,
  cause?: NonNullable<Released['cause']>,
): Released[] {
  return certificates.map(({ account, authorityId, certificateId }) => ({
    account,
    authorityId,
    certificateId,
    ...ownerOf(owner),
    releaseTime: rfc3339(at),
    ...(cause === undefined ? {} : { cause }),
  }));
}

/** The entry for an attempt whose outcome nobody will determine (`recordAbandoned`). */
export function abandoned(
  { uid = '', ...owner }: Owner & Pick<KubeObject['metadata'], 'uid'>,
  attempt: Attempt,
  timing: Timing,
): Abandoned {
  const { id, account, authorityId, requestHash, commonName, since, until, startTime } = attempt;
  return {
    attemptId: id,
    account,
    authorityId,
    uid,
    ...ownerOf(owner),
    requestHash,
    commonName,
    afterId: floorOf(attempt),
    since,
    until: until ?? new Date(Date.parse(startTime) + quietAfter(timing)).toISOString(),
  };
}

function ownerOf({ namespace, name }: Owner): { namespace?: string; name: string } {
  return { ...(namespace === undefined ? {} : { namespace }), name };
}

type Memory = Pick<IssuerStatus, 'released' | 'abandoned'>;

/** The maximum lengths in the schema; the oldest entries are forgotten first. */
const MAX_RELEASED = 1000;
const MAX_ABANDONED = 200;

/** The fields that an issuer's status needs to remember all additions; undefined if it remembers them already. */
export function releasedPatch(status: Memory, additions: readonly ReleasedAddition[]): Memory | undefined {
  const releasedByKey = new Map((status.released ?? []).map((each) => [certificateKey(each), each]));
  const abandonedById = new Map((status.abandoned ?? []).map((each) => [each.attemptId, each]));
  for (const addition of additions) {
    for (const each of addition.released ?? []) {
      // A deliberate release outweighs one that was recorded because the owner is unknown.
      const known = releasedByKey.get(certificateKey(each));
      if (!known || (known.cause === 'Undecided' && each.cause === 'Deleted'))
        releasedByKey.set(certificateKey(each), each);
    }
    for (const each of addition.adopted ?? []) releasedByKey.delete(certificateKey(each));
    for (const each of addition.abandoned ?? []) {
      const known = [...abandonedById.values()].find(
        (other) =>
          other.uid === each.uid && other.requestHash === each.requestHash && isSameAuthority(other, each),
      );
      abandonedById.set(known?.attemptId ?? each.attemptId, known ? joined(known, each) : each);
    }
  }
  const next = {
    released: [...releasedByKey.values()].slice(-MAX_RELEASED),
    abandoned: [...abandonedById.values()].slice(-MAX_ABANDONED),
  };
  const change: Memory = {
    ...(isSame(status.released, next.released) ? {} : { released: next.released }),
    ...(isSame(status.abandoned, next.abandoned) ? {} : { abandoned: next.abandoned }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

/** Merges attempts of one resource for one request into one entry, so that an outage does not push out other entries. */
function joined(before: Abandoned, after: Abandoned): Abandoned {
  const [since = before.since] = [before.since, after.since].sort(byTime);
  const [, until = after.until] = [before.until, after.until].sort(byTime);
  return { ...before, afterId: Math.min(before.afterId, after.afterId), since, until };
}

function byTime(a: string, b: string): number {
  return Date.parse(a) - Date.parse(b);
}

function isSame(before: readonly object[] | undefined, after: readonly object[]): boolean {
  return canonicalJson(before ?? []) === canonicalJson(after);
}
