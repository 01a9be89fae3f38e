import type { IssuerStatus } from '../api/issuer-status.ts';
import { canonicalJson } from '../lib/hash.ts';

/** A certificate that a resource gave up. */
export type Released = NonNullable<IssuerStatus['released']>[number];
/** An attempt that ended without a finding. */
export type Abandoned = NonNullable<IssuerStatus['abandoned']>[number];

/** What is to be remembered of certificates and attempts beyond their resources (rule 8). */
export interface Giving {
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
export function remember(status: Memory, givings: readonly Giving[]): Memory | undefined {
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
    for (const each of giving.abandoned ?? [])
      if (!abandoned.has(each.attemptId)) abandoned.set(each.attemptId, each);
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

function isSame(before: readonly object[] | undefined, after: readonly object[]): boolean {
  return canonicalJson(before ?? []) === canonicalJson(after);
}
