/** The findings of the witnesses, by kind. */
import type { CertificateView } from '../../tools/dev-server/types.ts';
import type { Window } from './history.ts';
import { type Bought, type Evidence, boughtOf, placeOf, rootOf, tagOf } from './ledger.ts';
import { readSecret } from './secret-check.ts';

/** Each finding is a sentence that names the certificate or Secret. */
export interface Verdict {
  lost: string[];
  doubled: string[];
  wrongOwner: string[];
  foreignTouched: string[];
  invalidSecretVersions: string[];
  secretRegressions: string[];
  /** Ids. */
  orphansWitnessed: number[];
  orphansReported: number[];
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
    orphansWitnessed: orphans.map(({ certificate }) => certificate.id),
    // Certificates that have expired since the last inventory are still shown.
    orphansReported: bought
      .filter(({ isOrphan, certificate }) => isOrphan && certificate.status !== 'expired')
      .map(({ certificate }) => certificate.id),
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
    .map((one) => `${describe(one)} was requested by nobody`);
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
    const ids = all.map((one) => `${one.certificate.id}${one.wasHeard ? '' : ' (never in status)'}`);
    return [`${tag ? placeOf(tag) : ''} bought ${ids.join(', ')} for one wish`];
  });
  return [...unknown, ...doubled];
}

/** A reissue that was never in status and was reissued again is doubled. */
function doubledReissue({ allowances }: Evidence, bought: readonly Bought[]): string[] {
  const byId = new Map(bought.map((one) => [one.certificate.id, one]));
  return bought.flatMap((one) => {
    const next = byId.get(one.certificate.replacedBy ?? 0);
    if (!one.isReissue || one.wasHeard || one.isBeyond || !next) return [];
    if (one.tag && (allowances.get(one.tag) ?? 0) > 0) return [];
    return [`${describe(one)} was reissued as ${next.certificate.id} before it was in status`];
  });
}

/** Whether its owner (`oneCandidate` in test/model), or even its existence, cannot be known. */
function isExcused({ tags, certificates }: Evidence, { tag, isBeyond, certificate }: Bought): boolean {
  if (isBeyond || !tag) return true;
  if (tag.issuer === 'marked') return false;
  const rivals = tags.all().filter((other) => other.set === tag.set && other.issuer === tag.issuer);
  const isByHand = certificates.some(
    (other) =>
      other.origin === 'manual' && other.caId === certificate.caId && tagOf(tags, other)?.set === tag.set,
  );
  return isByHand || rivals.some((other) => other.party !== 'person' && placeOf(other) !== placeOf(tag));
}

/**
 * Whether its attempt stood in a journal that a process had to take for one that was put back from a backup. Without the marker nothing
 * proves then that it bought it, which costs one certificate (docs/adr/0013-journal.md, "Consequences"). A reissue is proved by its key.
 */
function isDoubted({ history }: Evidence, { tag, isReissue, certificate }: Bought): boolean {
  if (!tag || tag.issuer === 'marked' || isReissue) return false;
  return [...history.claims(placeOf(tag)).doubted.values()].some((window) => isWithin(window, certificate));
}

/**
 * Whether its resource requested something else before its attempt was concluded. Without the marker nothing proves then that it is the
 * resource's, so it must not be revoked with the resource (`unmarkedKept` in test/model) and is reported as an orphan
 * (docs/guarantees.md, extra certificate number 11).
 */
function isOvertaken({ history }: Evidence, { tag, isReissue, isUndecided, certificate }: Bought): boolean {
  if (!tag || tag.issuer === 'marked' || isReissue || !isUndecided) return false;
  const names = tag.names.join(',');
  return [...history.claims(placeOf(tag)).windows.values()].some(
    (window) => isWithin(window, certificate) && [...window.asked].some((asked) => asked !== names),
  );
}

/** A TinyCert certificate begins at the second of its issuance. */
function isWithin({ since, until }: Window, { notBefore }: CertificateView): boolean {
  const at = notBefore * 1_000;
  return at >= since - 1_000 && at <= until;
}

/** Whether the same authority has a certificate with the same names that cannot be known to be ours. */
function hasTwin(strangers: readonly Bought[], { tag, certificate }: Bought): boolean {
  if (tag?.issuer === 'marked') return false;
  return strangers.some(
    (other) =>
      other.certificate.id !== certificate.id &&
      other.certificate.caId === certificate.caId &&
      other.tag?.set === tag?.set,
  );
}

/** How long a process needs to have its watches open before a deletion, and to record the released certificates after it. */
const TO_REMEMBER_MS = 4_000;
const TO_WATCH_MS = 3_000;

/**
 * Whether the operator can no longer know of it: somebody forged the status of its resource, or deleted the resource while no
 * operator led for long enough to see and record it. Attempts stand in the journal, so none is forgotten.
 */
function forgetting({ forgotten, history, reigns }: Evidence): (one: Bought) => boolean {
  const unseen = history.ends.filter(
    ({ place, at }) =>
      !reigns.some(
        ({ namespaces, startedAt, from, to }) =>
          namespaces.includes(place.split('/')[0] ?? '') &&
          startedAt + TO_WATCH_MS <= at &&
          to - Math.max(from, at) >= TO_REMEMBER_MS,
      ),
  );
  const ids = new Set(unseen.flatMap((end) => end.ids));
  return ({ tag, certificate }) => ids.has(certificate.id) || (tag !== undefined && forgotten.has(tag));
}

/** Whether its resource was deleted before the result of the attempt was known. */
function wasInterrupted({ history }: Evidence, { tag }: Bought): boolean {
  return tag !== undefined && history.ends.some((end) => end.interrupted.includes(tag.names.join(',')));
}

/** Reissues and changes of status of certificates that were not the caller's. */
function judgeCalls(evidence: Evidence): string[] {
  const { journal, certificates, history, tags } = evidence;
  const byId = new Map(certificates.map((certificate) => [certificate.id, certificate]));
  return journal.flatMap(({ call, params, httpStatus, late, result }) => {
    const certificate = byId.get(Number(params['cert_id']));
    if (!certificate) return [];
    const isKey = call === 'cert/get' && params['what'] !== 'cert' && params['what'] !== 'chain';
    if (call !== 'cert/reissue' && call !== 'cert/status' && !isKey) return [];
    const root = rootOf(byId, certificate);
    const tag = tagOf(tags, certificate);
    if (typeof root.origin !== 'number')
      return isTakenForOwn(evidence, root) ? [] : [`${call} of ${certificate.id}, which a person made`];
    const hasActed = result?.certId !== undefined || (httpStatus === 200 && !isKey) || late === true;
    if (call !== 'cert/reissue' || !hasActed || !tag) return [];
    if (history.claims(placeOf(tag)).reissued.has(certificate.id)) return [];
    return [`${call} of ${certificate.id}, which ${placeOf(tag)} never wanted`];
  });
}

/**
 * The exception in the guarantees: a person bought the same names at the same authority within the time of an attempt whose own
 * request had no effect. Without the marker it counts as bought by the attempt.
 */
function isTakenForOwn({ tags, history }: Evidence, root: CertificateView | undefined): boolean {
  const set = root && tagOf(tags, root)?.set;
  if (!root || set === undefined || typeof root.origin === 'number') return false;
  return tags.all().some((tag) => {
    if (tag.party === 'person' || tag.set !== set || tag.issuer === 'marked') return false;
    const { windows } = history.claims(placeOf(tag));
    return [...windows.values()].some((window) => isWithin(window, root));
  });
}

function judgeSecrets(
  evidence: Evidence,
): Pick<Verdict, 'wrongOwner' | 'invalidSecretVersions' | 'secretRegressions'> {
  const { history, tags, authorities } = evidence;
  const wrongOwner: string[] = [];
  const invalidSecretVersions: string[] = [];
  const secretRegressions: string[] = [];
  const highest = new Map<string, number>();
  const byId = new Map(evidence.certificates.map((certificate) => [certificate.id, certificate]));
  for (const { place, revision, at, data } of history.secrets) {
    const name = `Secret ${place} at revision ${revision}`;
    const issuer = tags.all().find((tag) => placeOf(tag) === place)?.issuer;
    const authority = authorities.find((one) => one.name.toLowerCase().startsWith(issuer ?? '?'));
    try {
      const found = readSecret(data, { root: authority?.pem ?? '', now: at });
      const tag = tags.of(found.names);
      if (!tag) invalidSecretVersions.push(`${name} has ${found.id}, whose names nobody requested`);
      else if ((placeOf(tag) !== place || tag.party === 'person') && !isExcepted(found.id))
        wrongOwner.push(`${name} has ${found.id} of ${placeOf(tag) === '/' ? 'a person' : placeOf(tag)}`);
      const key = `${place} ${[...found.names].sort().join(',')}`;
      const before = highest.get(key) ?? 0;
      if (found.id < before) secretRegressions.push(`${name} has ${found.id} after ${before}`);
      highest.set(key, Math.max(before, found.id));
    } catch (error) {
      invalidSecretVersions.push(`${name}: ${error instanceof Error ? error.message : 'unreadable'}`);
    }
  }
  return { wrongOwner, invalidSecretVersions, secretRegressions };

  function isExcepted(id: number): boolean {
    const certificate = byId.get(id);
    return certificate !== undefined && isTakenForOwn(evidence, rootOf(byId, certificate));
  }
}

function describe({ certificate, tag, isReissue }: Bought): string {
  const how = isReissue ? `reissue of ${certificate.previousId}` : 'new';
  return `${certificate.id} (${how}, for ${tag ? placeOf(tag) : 'nobody'}, ${certificate.status})`;
}
