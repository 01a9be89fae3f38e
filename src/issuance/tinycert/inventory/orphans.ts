import { certificateKey } from '../../../api/tinycert/identity.ts';
import type { IssuerStatus } from '../../../api/tinycert/issuer-status.ts';
import { canonicalJson } from '../../../lib/hash.ts';
import { rfc3339 } from '../../status/conditions.ts';

export type Orphan = NonNullable<IssuerStatus['orphans']>[number];

/** The findings of an inventory that one issuer shows. */
export interface Found {
  counts: { good: number; hold: number; revoked: number; expired: number };
  foreignCount: number;
  /** All orphans of this issuer. */
  orphans: readonly Orphan[];
}

type Shown = Pick<IssuerStatus, 'certificates' | 'foreignCount' | 'orphanCount' | 'orphans'>;
/** Fields to set in status; null removes one. */
type Change = { [Field in keyof Shown]?: Shown[Field] | null };

/** The maximum in the schema. */
const MAX_SHOWN = 100;
/** The shortest time between two writes of changed counts alone: people read them only now and then. */
export const COUNTS_INTERVAL_MS = 12 * 60_000;

/**
 * The change that makes a status show an inventory, and the orphans that it shows for the first time. Undefined if status
 * shows it all already. Changed counts alone wait for `COUNTS_INTERVAL_MS`, so that a restart writes nothing.
 */
export function showInventory(
  status: IssuerStatus | undefined,
  found: Found,
  now: number,
): { change: Change; news: readonly Orphan[] } | undefined {
  const before = new Map((status?.orphans ?? []).map((orphan) => [certificateKey(orphan), orphan]));
  const orphans = found.orphans
    .map((orphan) => before.get(certificateKey(orphan)) ?? orphan)
    .sort((a, b) => b.certificateId - a.certificateId)
    .slice(0, MAX_SHOWN);
  const isShown =
    canonicalJson(orphans) === canonicalJson(status?.orphans ?? []) &&
    found.orphans.length === (status?.orphanCount ?? 0);
  const counts = { ...found.counts };
  const { observedTime, ...countsBefore } = status?.certificates ?? {};
  const areCountsShown =
    canonicalJson(counts) === canonicalJson(countsBefore) && found.foreignCount === status?.foreignCount;
  const areCountsDue = observedTime === undefined || now - Date.parse(observedTime) >= COUNTS_INTERVAL_MS;
  if (isShown && (areCountsShown || !areCountsDue)) return undefined;
  return {
    change: {
      ...(isShown
        ? {}
        : { orphanCount: found.orphans.length, orphans: orphans.length === 0 ? null : orphans }),
      ...(areCountsShown
        ? {}
        : { certificates: { ...counts, observedTime: rfc3339(now) }, foreignCount: found.foreignCount }),
    },
    news: orphans.filter((orphan) => !before.has(certificateKey(orphan))),
  };
}
