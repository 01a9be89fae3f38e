/** The findings of the witnesses, by kind. */
import { judgeCalls } from './calls.ts';
import { forgetting, hasTwin, isDoubted, isExcused, isOvertaken, wasInterrupted } from './excuses.ts';
import { type Bought, type Evidence, boughtOf, placeOf, refOf } from './ledger.ts';
import { judgeSecrets } from './secret-versions.ts';
import { undone } from './undone.ts';

/** Each finding is a sentence that names the certificate or Secret. */
export interface Verdict {
  lost: string[];
  doubled: string[];
  wrongOwner: string[];
  foreignTouched: string[];
  /** Holds and revocations that were due. */
  undone: string[];
  invalidSecretVersions: string[];
  secretRegressions: string[];
  /** CA and id of each. */
  orphansWitnessed: string[];
  orphansReported: string[];
  /** Orphans whose owner could have been found. */
  decidable: string[];
  /** Certificates that operators bought. */
  certificates: number;
}

export function judge(evidence: Evidence): Verdict {
  const bought = boughtOf(evidence);
  const isForgotten = forgetting(evidence);
  const orphans = bought.filter(
    (one) => one.isValid && !one.isClaimed && !one.isGivenUp && (one.isOrphan || !isForgotten(one)),
  );
  const strangers = bought.filter(
    (one) =>
      one.certificate.status !== 'revoked' &&
      !one.isClaimed &&
      !one.isGivenUp &&
      !one.isUndecided &&
      (one.isBeyond || isForgotten(one) || wasInterrupted(evidence, one)),
  );
  const excused = (one: Bought): boolean =>
    isExcused(evidence, one) || isDoubted(evidence, one) || hasTwin(strangers, one);
  return {
    ...judgeSecrets(evidence),
    lost: bought
      .filter((one) => orphans.includes(one) && !one.isOrphan && !one.isRecorded)
      .map((one) => `${describe(one)} is claimed by nobody and reported by nobody`),
    doubled: [...doubledNew(evidence, bought, excused), ...doubledReissue(evidence, bought)],
    foreignTouched: judgeCalls(evidence),
    undone: undone(evidence),
    orphansWitnessed: orphans.map(nameOf),
    // Certificates that have expired since the last inventory are still shown.
    orphansReported: bought
      .filter(({ isOrphan, certificate }) => isOrphan && certificate.status !== 'expired')
      .map(nameOf),
    decidable: orphans
      .filter((one) => !excused(one) && !isForgotten(one))
      .filter((one) => !wasInterrupted(evidence, one) && !isOvertaken(evidence, one))
      .map((one) => `${describe(one)} need not have been an orphan`),
    certificates: bought.length,
  };
}

function doubledNew(
  evidence: Evidence,
  bought: readonly Bought[],
  excused: (one: Bought) => boolean,
): string[] {
  const fresh = bought.filter((one) => !one.isReissue);
  const unknown = fresh
    .filter(({ tag }) => tag === undefined)
    .map((one) => `${describe(one)} was requested of this authority by nobody`);
  const byTag = Map.groupBy(
    fresh.filter(({ tag }) => tag !== undefined),
    ({ tag }) => tag,
  );
  const doubled = [...byTag].flatMap(([tag, all]) => {
    const allowance = (tag && evidence.allowances.get(tag)) ?? 0;
    const heard = all.filter(({ wasHeard }) => wasHeard);
    const isRekeyed = tag !== undefined && evidence.rekeys(tag);
    // A certificate of a renewal whose resource is deleted before it is found is never in status.
    const isLateRenewal = (one: Bought): boolean => isRekeyed && wasInterrupted(evidence, one);
    const wasted = all.filter((one) => !one.wasHeard && !excused(one) && !isLateRenewal(one));
    const again = isRekeyed ? 0 : Math.max(0, heard.length - 1);
    const extra = again + Math.max(0, wasted.length - (heard.length === 0 ? 1 : 0));
    if (extra <= allowance) return [];
    const ids = all.map((one) => `${nameOf(one)}${one.wasHeard ? '' : ' (never in status)'}`);
    return [`${tag ? placeOf(tag) : ''} bought ${ids.join(', ')} for one wish`];
  });
  return [...unknown, ...doubled];
}

/** A reissue that was never in status and was reissued again is doubled. */
function doubledReissue({ allowances }: Evidence, bought: readonly Bought[]): string[] {
  const known = new Map(bought.map((one) => [one.key, one]));
  return bought.flatMap((one) => {
    const { replacedBy = 0 } = one.certificate;
    const next = known.get(refOf({ ...one.certificate, id: replacedBy }));
    if (!one.isReissue || one.wasHeard || one.isBeyond || !next) return [];
    if (one.tag && (allowances.get(one.tag) ?? 0) > 0) return [];
    return [`${describe(one)} was reissued as ${nameOf(next)} before it was in status`];
  });
}

function describe(one: Bought): string {
  const { certificate, tag, isReissue } = one;
  const how = isReissue ? `reissue of ${certificate.previousId}` : 'new';
  return `${nameOf(one)} (${how}, for ${tag ? placeOf(tag) : 'nobody'}, ${certificate.status})`;
}

function nameOf({ certificate: { ca, id } }: Bought): string {
  return `${ca} ${id}`;
}
