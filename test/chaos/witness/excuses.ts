/** What the guarantees allow for, and what the operator cannot know. */
import type { Issued } from '../ca.ts';
import type { Window } from './history.ts';
import { type Bought, type Evidence, isAt, isMarked, placeOf, tagOf } from './ledger.ts';

/** Whether its owner (`oneCandidate` in test/model), or even its existence, cannot be known. */
export function isExcused(evidence: Evidence, { tag, isBeyond, certificate }: Bought): boolean {
  const { tags, certificates } = evidence;
  if (isBeyond || !tag) return true;
  if (isMarked(tag)) return false;
  const rivals = tags.all().filter((other) => other.set === tag.set && other.issuer === tag.issuer);
  const isByHand = certificates.some(
    (other) =>
      other.origin === 'manual' && isAtOne(other, certificate) && tagOf(evidence, other)?.set === tag.set,
  );
  return isByHand || rivals.some((other) => other.party !== 'person' && placeOf(other) !== placeOf(tag));
}

/**
 * Whether its attempt stood in a journal that a process had to take for one that was put back from a backup. Without the marker nothing
 * proves then that it bought it, which costs one certificate (docs/adr/0013-journal.md, "Consequences"). A reissue is proved by its key.
 */
export function isDoubted({ history }: Evidence, { tag, isReissue, certificate }: Bought): boolean {
  if (!tag || isMarked(tag) || isReissue) return false;
  return [...history.claims(placeOf(tag)).doubted.values()].some((window) => isWithin(window, certificate));
}

/**
 * Whether its resource requested something else before its attempt was concluded. Without the marker nothing proves then that it is the
 * resource's, so it must not be revoked with the resource (`unmarkedKept` in test/model) and is reported as an orphan
 * (docs/guarantees.md, extra certificate number 11).
 */
export function isOvertaken(
  { history }: Evidence,
  { tag, isReissue, isUndecided, certificate }: Bought,
): boolean {
  if (!tag || isMarked(tag) || isReissue || !isUndecided) return false;
  const names = tag.names.join(',');
  return [...history.claims(placeOf(tag)).windows.values()].some(
    (window) => isWithin(window, certificate) && [...window.asked].some((asked) => asked !== names),
  );
}

/** Whether it may have been bought at the authority and in the time of an attempt: it begins at the second of its issuance. */
export function isWithin(window: Window, certificate: Issued): boolean {
  const at = certificate.notBefore * 1_000;
  return isAt(window, certificate) && at >= window.since - 1_000 && at <= window.until;
}

/** Whether the same authority has a certificate with the same names that cannot be known to be ours. */
export function hasTwin(strangers: readonly Bought[], { tag, certificate }: Bought): boolean {
  if (tag && isMarked(tag)) return false;
  return strangers.some(
    (other) =>
      other.certificate !== certificate &&
      isAtOne(other.certificate, certificate) &&
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
export function forgetting({ forgotten, history, reigns }: Evidence): (one: Bought) => boolean {
  const unseen = history.ends.filter(
    ({ place, at }) =>
      !reigns.some(
        ({ namespaces, startedAt, from, to }) =>
          namespaces.includes(place.split('/')[0] ?? '') &&
          startedAt + TO_WATCH_MS <= at &&
          to - Math.max(from, at) >= TO_REMEMBER_MS,
      ),
  );
  const claimed = new Set(unseen.flatMap((end) => end.claimed));
  return ({ tag, key }) => claimed.has(key) || (tag !== undefined && forgotten.has(tag));
}

/** Whether its resource was deleted before the result of the attempt was known. */
export function wasInterrupted({ history }: Evidence, { tag }: Bought): boolean {
  return tag !== undefined && history.ends.some((end) => end.interrupted.includes(tag.names.join(',')));
}

/**
 * The exception in the guarantees: a person bought the same names at the same authority within the time of an attempt whose own
 * request had no effect. Without the marker it counts as bought by the attempt.
 */
export function isTakenForOwn(evidence: Evidence, root: Issued | undefined): boolean {
  const { tags, history } = evidence;
  const set = root && tagOf(evidence, root)?.set;
  if (!root || set === undefined || typeof root.origin === 'number') return false;
  return tags.all().some((tag) => {
    if (tag.party === 'person' || tag.set !== set || isMarked(tag)) return false;
    const { windows } = history.claims(placeOf(tag));
    return [...windows.values()].some((window) => isWithin(window, root));
  });
}

function isAtOne(a: Issued, b: Issued): boolean {
  return a.account === b.account && a.caId === b.caId;
}
