import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { NO_FAILURE } from '../../issuance/attempt/retry-backoff.ts';
import { READY } from '../../issuance/decide/readiness.ts';
import { dueAt } from '../../issuance/renewal/plan.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { requestOf } from '../../issuance/tinycert/request.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import type { CertificateDetails } from '../../tinycert/index.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { Deps } from '../context/deps.ts';
import type { Inputs } from '../context/inputs.ts';
import { type StatusChange, record } from '../status/record.ts';
import { claimedIdsOf, isFor, keepMetadata, provenId } from './proven-id.ts';

/** What came of looking at the own Secret. */
export type Adoption =
  | { result: ReconcileResult }
  /** It holds this one, and a resource without a certificate is better off with another: it becomes a former one. */
  | { givesUp: number }
  /** It proves nothing. */
  | { givesUp?: undefined };

/**
 * Takes the certificate in the own Secret up into status, once it is proved to be that: for a resource that was made anew
 * or restored without its status, and for one whose status has lost its seal.
 *
 * What an unsealed status says beside it is dropped: a seal over what somebody else may have written would make it ours.
 */
export async function takeUp(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  { signal, log }: ReconcileContext,
): Promise<Adoption> {
  const { secret, certificate } = inputs;
  if (secret.state !== 'changed' || !secret.held) return {};
  const { held } = secret;
  // Two resources with the same Secret content must not both find that nobody else claims it.
  return issuer.account.locks.run(
    `take up\n${held.leaf.serialNumber}`,
    async (): Promise<Adoption> => {
      const id = await provenId(deps, inputs, issuer, held, claimedIdsOf(inputs), signal);
      if (id === undefined) return {};
      const options = { signal, deadlineMs: deps.timing.callDeadline };
      const details = await issuer.account.client.getCertificateDetails(id, options);
      const isFit = isFor(requestOf(certificate, issuer, await issuer.material()), held.leaf);
      const isFirst = certificate.status?.certificateId === undefined;
      const isValid = details.status === 'good' || details.status === 'hold';
      if (isFirst && (!isFit || details.status !== 'good')) return isValid ? { givesUp: id } : {};
      const metadata = await keepMetadata(deps, inputs, secret, id, signal);
      const now = deps.clock.now();
      const change = {
        ...taken(issuer, id, held.leaf, details),
        ...(isFit ? { specHash: inputs.specHash } : {}),
        revision: certificate.status?.revision ?? 1,
        secretUID: metadata.uid,
        secretResourceVersion: metadata.resourceVersion,
      };
      const { attempt: _, ...rest } = certificate.status ?? {};
      const due = dueAt({
        certificate: { ...certificate, status: { ...rest, ...known(id, held.leaf, details) } },
        now,
      });
      const isServed = isFit && details.status === 'good' && held.leaf.notAfter > now;
      await record(deps, {
        certificate,
        change: { ...change, renewalTime: due === undefined ? null : rfc3339(due) },
        conditions: isServed ? [READY] : [],
        removed: isServed ? ['Issuing'] : [],
        sealer: issuer.account,
        signal,
      });
      log.info({ certificateId: id }, 'Took up the certificate that the Secret holds');
      // What is still needed, such as a renewal, is decided on what is certain now.
      return { result: isServed && due !== undefined ? { requeueAt: due } : { requeueAfterMs: 0 } };
    },
    signal,
  );
}

function taken(
  { authority }: ReadyIssuer,
  certificateId: number,
  leaf: Certificate,
  details: CertificateDetails,
): StatusChange {
  return {
    ...known(certificateId, leaf, details),
    authorityId: authority.id,
    serialNumber: leaf.serialNumber,
    attempt: null,
    formerCertificateIds: null,
    pendingRevocations: null,
    ...NO_FAILURE,
  };
}

/** What the time of renewal goes by. */
function known(certificateId: number, leaf: Certificate, { status }: CertificateDetails): CertificateStatus {
  return {
    certificateId,
    ...(status === 'unknown' ? {} : { certificateStatus: status }),
    notBefore: rfc3339(leaf.notBefore),
    notAfter: rfc3339(leaf.notAfter),
  };
}
