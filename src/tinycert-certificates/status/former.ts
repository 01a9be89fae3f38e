import { withFormer } from '../../issuance/tinycert/claims.ts';
import { released } from '../../issuance/tinycert/released.ts';
import { issuerKey } from '../../issuance/tinycert/issuer-directory.ts';
import type { Deps } from '../context/deps.ts';
import type { Recording, StatusChange } from './record.ts';

/**
 * A certificate that a change of status lets go of stays claimed, in the same write, as a former one of its resource
 * (`recordGivenUp`); the oldest, for which there is no room, are remembered by the issuer before. What a reissue replaces
 * is obsolete and nobody's, unless it had expired: that stays in the CA's list, where it must not look like somebody else's.
 * Nothing is kept on the word of a status without its seal.
 */
export async function formerIds(
  deps: Deps,
  { certificate, change = {}, givesUp, signal }: Recording,
  isSealed: boolean,
): Promise<StatusChange> {
  const { status = {}, metadata, spec } = certificate;
  if (change.formerCertificateIds !== undefined) return {};
  const operation = (change.attempt ?? status.attempt)?.operation;
  const isListed = operation === 'New' || Date.parse(status.notAfter ?? '') <= deps.clock.now();
  const isReplaced =
    isSealed &&
    isListed &&
    typeof change.certificateId === 'number' &&
    status.certificateId !== undefined &&
    status.certificateId !== change.certificateId;
  const ids = [givesUp, isReplaced ? status.certificateId : undefined].filter((id) => id !== undefined);
  if (ids.length === 0) return {};
  const { kept, dropped } = withFormer(isSealed ? status : {}, ...ids);
  const giving = { released: released(metadata, dropped, deps.clock.now()) };
  if (dropped.length > 0)
    await deps.records.give(issuerKey(spec.issuerRef, metadata.namespace), giving, signal);
  return { formerCertificateIds: kept };
}
