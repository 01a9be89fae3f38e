import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import type { CertificateRef } from '../../api/tinycert/identity.ts';
import { NO_FAILURE } from '../../issuance/attempt/retry-backoff.ts';
import { READY } from '../../issuance/decide/readiness.ts';
import { dueAt } from '../../issuance/renewal/plan.ts';
import { recordedSecret } from '../../issuance/secret/recorded.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';
import { idAt } from '../../issuance/tinycert/lookup.ts';
import { requestOf } from '../../issuance/tinycert/request.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import type { CertificateDetails } from '../../tinycert/index.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { callOptions, type Work } from '../context/work.ts';
import { recordResult, type StatusChange } from '../status/record.ts';
import { claimedIn, hasExpired, isFor, provenCertificate, syncSecret } from './proven-id.ts';

/** Another resource adopts the same certificate at this moment: how soon to look again, in milliseconds. */
export const ADOPT_AGAIN_MS = 1_000;

/** The result of an adoption. */
export type Adoption =
  | { result: ReconcileResult }
  /** The Secret proves this certificate, and the resource needs another one: it becomes a former certificate. */
  | { givesUp: CertificateRef }
  /** The Secret proves nothing. */
  | { givesUp?: undefined };

/**
 * Adopts the certificate in the resource's own Secret into status, once the CA has proved it: for a resource that was created again or
 * restored without its status, and for a status whose seal is broken. Whatever else a status with a broken seal contains is
 * dropped: a seal over what somebody else may have written would make it ours. Rejects with a `TinyCertError`.
 */
export async function adopt(work: Work): Promise<Adoption> {
  const { deps, inputs, issuer, signal, log } = work;
  const { secret, certificate } = inputs;
  if (secret.state !== 'changed' || !secret.content) return {};
  const content = secret.content;
  // Two resources with equal Secrets must not both find that nobody else claims the certificate.
  const { serialNumber } = content.leaf;
  if (deps.adopting.has(serialNumber)) return { result: { requeueAfterMs: ADOPT_AGAIN_MS } };
  deps.adopting.add(serialNumber);
  try {
    const proven = await provenCertificate(work, content, claimedIn(inputs));
    if (!proven) return {};
    const { account } = issuer;
    const details = await account.client.getCertificateDetails(idAt(account, proven), callOptions(work));
    const isFit = isFor(requestOf(certificate, issuer, await issuer.material()), content.leaf);
    const isFirst = certificate.status?.certificateId === undefined;
    const isValid = details.status === 'good' || details.status === 'hold';
    if (isFirst && (!isFit || details.status !== 'good')) return isValid ? { givesUp: proven } : {};
    const now = deps.clock.now();
    // An expired certificate is replaced next, so that no version of the Secret is written with it.
    const isPast = hasExpired(secret, now);
    const { metadata } = isPast ? secret : await syncSecret(work, secret, proven);
    // It says nothing of the certificate that is adopted.
    const { attemptTime: _, ...others } = certificate.status ?? {};
    const status = { ...others, ...datesOf(proven, content.leaf, details) };
    const due = dueAt({ certificate: { ...certificate, status }, now });
    const isServed = isFit && details.status === 'good' && content.leaf.notAfter > now;
    await recordResult(deps, {
      certificate,
      change: {
        ...adoptedStatus(proven, content.leaf, details),
        ...(isFit ? { specHash: inputs.specHash } : {}),
        revision: certificate.status?.revision ?? 1,
        ...recordedSecret(certificate, metadata),
        ...(isPast ? { secretGeneration: null } : {}),
        renewalTime: due === undefined ? null : rfc3339(due),
      },
      conditions: isServed ? [READY] : [],
      removed: isServed ? ['Issuing'] : [],
      sealer: issuer.account,
      signal,
    });
    log.info({ certificate: proven }, 'Adopted the certificate that the Secret holds');
    // What remains, such as an open attempt or a renewal, is decided from the proven status.
    const isDone = isServed && inputs.attempt === undefined;
    return { result: isDone && due !== undefined ? { requeueAt: due } : { requeueAfterMs: 0 } };
  } finally {
    deps.adopting.delete(serialNumber);
  }
}

function adoptedStatus(
  certificate: CertificateRef,
  leaf: Certificate,
  details: CertificateDetails,
): StatusChange {
  return {
    ...datesOf(certificate, leaf, details),
    serialNumber: leaf.serialNumber,
    attemptTime: null,
    formerCertificates: null,
    pendingRevocations: null,
    ...NO_FAILURE,
    refusedFetches: null,
    unclaimedCertificates: null,
  };
}

/** The part of the status that the time of renewal depends on. */
function datesOf(
  { account, authorityId, certificateId }: CertificateRef,
  leaf: Certificate,
  { status }: CertificateDetails,
): CertificateStatus {
  return {
    account,
    authorityId,
    certificateId,
    // Of an obsolete one the successor is looked for next, which an obsolete status would end.
    ...(status === 'unknown' || status === 'obsolete' ? {} : { certificateStatus: status }),
    notBefore: rfc3339(leaf.notBefore),
    notAfter: rfc3339(leaf.notAfter),
  };
}
