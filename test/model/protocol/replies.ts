import { accountOf, certificateOf, type Entry, hasSameKey, markedUid } from '../world/state.ts';
import { claimOf, isAbove, isSame, processOf, provenId, type Turn } from '../world/turn.ts';

/** Whether an id of a reply is believed no less than a listed one; undefined if it is, else why not. */
export function doubtOf(turn: Turn, p: number, entry: Entry, id: number): string | undefined {
  const { state, rules, marker } = turn;
  const { views, journal } = processOf(turn, p);
  const isReissue = entry.operation === 'Reissue';
  const floor = isReissue ? entry.previousId : entry.afterId;
  if (rules.replyAboveFloor && !isAbove(turn, id, floor)) return 'which is not above the floor';
  const isClaimed = views.some(({ resource, secret }) => {
    if (!resource) return false;
    const proven = provenId(turn, resource, secret);
    return (
      isSame(turn, claimOf(turn, resource), id) || (resource.uid !== entry.uid && isSame(turn, proven, id))
    );
  });
  const isBought = journal?.entries.some(
    (other) => other.uid !== entry.uid && isSame(turn, other.bought, id),
  );
  if (rules.replyUnclaimed && (isClaimed || isBought)) return 'which is claimed';
  if (!rules.replyFits) return undefined;
  const isMisfit = isReissue
    ? !hasSameKey(state, id, entry.previousId)
    : marker && markedUid(state, id) !== entry.uid;
  const isOther = certificateOf(state, id)!.spec !== entry.spec;
  const mayBeAnothers = journal?.entries.some(
    (other) =>
      other.uid !== entry.uid &&
      accountOf(id) === other.account &&
      certificateOf(state, id)!.spec === other.spec &&
      isAbove(turn, id, other.previousId || other.afterId),
  );
  return isMisfit || (isOther && mayBeAnothers !== false) ? 'which does not fit' : undefined;
}
