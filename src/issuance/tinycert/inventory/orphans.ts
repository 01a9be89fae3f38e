import type { IssuerStatus } from '../../../api/tinycert/issuer-status.ts';
import { canonicalJson } from '../../../lib/hash.ts';
import { rfc3339 } from '../../status/conditions.ts';

export type Orphan = NonNullable<IssuerStatus['orphans']>[number];

/** What an inventory found, as far as one issuer shows it. */
export interface Found {
  counts: { good: number; hold: number; revoked: number; expired: number };
  foreignCount: number;
  /** All of this issuer. */
  orphans: readonly Orphan[];
}

type Shown = Pick<IssuerStatus, 'certificates' | 'foreignCount' | 'orphanCount' | 'orphans'>;
/** Fields to set in status; null removes one. */
type Change = { [Field in keyof Shown]?: Shown[Field] | null };

/** As many as the schema allows. */
const MAX_SHOWN = 100;
/** Counts are for people who look once in a while: they are not written more often than this. */
const COUNTS_AGAIN_MS = 12 * 60_000;

/**
 * What status has to say of an inventory, and which orphans it says for the first time; undefined if it says all of it. A
 * changed count alone is not said before its time, so that a restart writes nothing.
 */
export function showInventory(
  status: IssuerStatus | undefined,
  found: Found,
  now: number,
): { change: Change; news: readonly Orphan[] } | undefined {
  const before = new Map((status?.orphans ?? []).map((orphan) => [orphan.certificateId, orphan]));
  const orphans = found.orphans
    .map((orphan) => before.get(orphan.certificateId) ?? orphan)
    .sort((a, b) => b.certificateId - a.certificateId)
    .slice(0, MAX_SHOWN);
  const isSaid =
    canonicalJson(orphans) === canonicalJson(status?.orphans ?? []) &&
    found.orphans.length === (status?.orphanCount ?? 0);
  const counts = { ...found.counts };
  const { observedTime, ...countsBefore } = status?.certificates ?? {};
  const isCounted =
    canonicalJson(counts) === canonicalJson(countsBefore) && found.foreignCount === status?.foreignCount;
  const isTime = observedTime === undefined || now - Date.parse(observedTime) >= COUNTS_AGAIN_MS;
  if (isSaid && (isCounted || !isTime)) return undefined;
  return {
    change: {
      ...(isSaid
        ? {}
        : { orphanCount: found.orphans.length, orphans: orphans.length === 0 ? null : orphans }),
      ...(isCounted
        ? {}
        : { certificates: { ...counts, observedTime: rfc3339(now) }, foreignCount: found.foreignCount }),
    },
    news: orphans.filter(({ certificateId }) => !before.has(certificateId)),
  };
}
