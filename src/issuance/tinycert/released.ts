import type { Attempt } from '../../api/tinycert/certificate-status.ts';
import type { IssuerStatus } from '../../api/tinycert/issuer-status.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { canonicalJson } from '../../lib/hash.ts';
import { type Timing, quietAfter } from '../attempt/timing.ts';
import { rfc3339 } from '../status/conditions.ts';
import { floorOf } from './attempt.ts';

type Owner = Pick<KubeObject['metadata'], 'namespace' | 'name'>;

/** What is remembered of certificates that a resource gave up `at` a time, in milliseconds since the epoch. */
export function released(
  owner: Owner,
  ids: readonly number[],
  at: number,
  cause?: NonNullable<Released['cause']>,
): Released[] {
  return ids.map((certificateId) => ({
    certificateId,
    ...ownerOf(owner),
    releaseTime: rfc3339(at),
    ...(cause === undefined ? {} : { cause }),
  }));
}

/** What is remembered of an attempt of which nobody will find out any more what it bought (rule 8). */
export function abandoned(
  { uid = '', ...owner }: Owner & Pick<KubeObject['metadata'], 'uid'>,
  attempt: Attempt,
  timing: Timing,
): Abandoned {
  const { id, requestHash, commonName, since, until, startTime } = attempt;
  return {
    attemptId: id,
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

/** A certificate that a resource gave up. */
export type Released = NonNullable<IssuerStatus['released']>[number];
/** An attempt that ended without a finding. */
export type Abandoned = NonNullable<IssuerStatus['abandoned']>[number];

/** What is to be remembered of certificates and attempts beyond their resources (rule 8). */
export interface ReleasedChange {
  released?: readonly Released[];
  abandoned?: readonly Abandoned[];
  /** Ids that a resource has taken up again: they are given up no more. */
  taken?: readonly number[];
}

type Memory = Pick<IssuerStatus, 'released' | 'abandoned'>;

/** As many as the schema allows; the oldest are forgotten first. */
const MAX_RELEASED = 1000;
const MAX_ABANDONED = 200;

/** What an issuer's status has to say so that all of this is remembered; undefined if it says so already. */
export function withReleased(status: Memory, givings: readonly ReleasedChange[]): Memory | undefined {
  const released = new Map((status.released ?? []).map((each) => [each.certificateId, each]));
  const abandoned = new Map((status.abandoned ?? []).map((each) => [each.attemptId, each]));
  for (const giving of givings) {
    for (const each of giving.released ?? []) {
      // Given up on purpose says more than that its owner could not be told.
      const known = released.get(each.certificateId);
      if (!known || (known.cause === 'Undecided' && each.cause === 'Deleted'))
        released.set(each.certificateId, each);
    }
    for (const id of giving.taken ?? []) released.delete(id);
    for (const each of giving.abandoned ?? []) {
      const known = [...abandoned.values()].find(
        ({ uid, requestHash }) => uid === each.uid && requestHash === each.requestHash,
      );
      abandoned.set(known?.attemptId ?? each.attemptId, known ? joined(known, each) : each);
    }
  }
  const next = {
    released: [...released.values()].slice(-MAX_RELEASED),
    abandoned: [...abandoned.values()].slice(-MAX_ABANDONED),
  };
  const change: Memory = {
    ...(isSame(status.released, next.released) ? {} : { released: next.released }),
    ...(isSame(status.abandoned, next.abandoned) ? {} : { abandoned: next.abandoned }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

/** Attempts of one resource for one request are remembered as one, so that a CA that is down does not push out others. */
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
