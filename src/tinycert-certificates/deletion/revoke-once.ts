import { type CertificateRef, isSameCertificate } from '../../api/tinycert/identity.ts';
import { ticketOf } from '../../issuance/decide/gate-turn.ts';
import { keyOf } from '../../kube/objects.ts';
import type { Wanted } from '../context/revocation-retries.ts';
import type { Work } from '../context/work.ts';
import type { Revocation } from '../decide/revocations-due.ts';
import { changeAll } from '../revocation/change-all.ts';
import { claimedByOthers, STATUS_OF, warnOfClaimed } from '../revocation/change-status.ts';

/**
 * Does the revocations of a deleted resource, except of what others claim by now. What was done before one of the others failed
 * is not done again. `isLast`: through a last session, which nothing admits. Resolves with the certificates that are only on
 * hold in the end. Rejects as `changeStatus` does.
 */
export async function revokeOnce(
  work: Work,
  revocations: readonly Revocation[],
  isLast: boolean,
): Promise<CertificateRef[]> {
  const { deps, inputs, issuer, signal } = work;
  const { certificate } = inputs;
  const ticket = isLast ? undefined : ticketOf(deps, { certificate, now: deps.clock.now() });
  const asked = revocations.map((revocation) => revocation.certificate);
  const claimed = await claimedByOthers(deps, certificate, asked, signal);
  warnOfClaimed(deps, certificate, claimed);
  const wanted = revocations
    .filter((each) => !claimed.some((other) => isSameCertificate(other, each.certificate)))
    .map(({ certificate: ref, action }): Wanted => ({ certificate: ref, status: STATUS_OF[action] }));
  const { uid = '' } = certificate.metadata;
  // It has gone meanwhile, and with it what is known of its revocations: they were all done before.
  if (deps.certificates.get(keyOf(certificate))?.metadata.uid !== uid) return [];
  const onHold: CertificateRef[] = [];
  await changeAll({ deps, issuer, signal, uid }, wanted, ticket, (done, outcome) => {
    if (outcome === 'hold') onHold.push(done.certificate);
  });
  return onHold;
}
