import { certificateOf, ownerOf } from '../world/state.ts';
import { setCertificate, type Turn, violate } from '../world/turn.ts';

/**
 * cert/status revoked, of what a resource gives up or has replaced, after a live look at claims and Secrets. `place`: the token
 * of that resource.
 */
export function revoke(turn: Turn, place: number, ids: readonly number[]): void {
  const { state, rules, revokes } = turn;
  for (const id of revokes ? ids : []) {
    const certificate = certificateOf(state, id);
    if (!certificate || certificate.isObsolete || certificate.isRevoked) continue;
    const isClaimed = state.resources.some((resource) => resource?.status.certificateId === id);
    if (isClaimed && rules.revokeUnclaimed) continue;
    if (ownerOf(state, id) !== place || certificate.buyer === 0) violate(turn, 'foreignRevoked');
    const isServed = state.resources.some(
      (resource, index) =>
        resource && state.secrets[index]?.certificateId === id && state.secrets[index].uid === resource.uid,
    );
    if (isServed && rules.heldNotGivenUp) continue;
    if (isServed) violate(turn, 'servedRevoked');
    setCertificate(turn, id, { isRevoked: true });
  }
}
