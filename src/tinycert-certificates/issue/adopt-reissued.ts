import { secretRef } from '../../issuance/certificate-kind.ts';
import { readSecret } from '../../issuance/secret/read-secret.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { certificateAtCa, orGone } from '../../issuance/tinycert/lookup.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf, secrets } from '../../kube/objects.ts';
import type { CertificateDetails } from '../../tinycert/index.ts';
import { readCertificate } from '../../x509/certificate.ts';
import { callOptions, type Work, withInputs } from '../context/work.ts';
import { recordCaStatus } from '../status/record-ca-status.ts';
import { publish } from './publish.ts';

/**
 * Adopts what somebody reissued the certificate as by hand: the newest candidate with the same public key. Nothing is bought.
 * Without one, status records that the CA no longer lists the certificate. Rejects with a `TinyCertError` or an `ApiError`.
 */
export async function adoptReissued(work: Work, candidates: readonly number[]): Promise<ReconcileResult> {
  const { deps, inputs, issuer, log } = work;
  const { certificate } = inputs;
  const { certificateId = 0, certificateStatus } = certificate.status ?? {};
  const { client } = issuer.account;
  const details = await orGone(client.getCertificateDetails(certificateId, callOptions(work)));
  if (details && details.status !== 'obsolete') {
    // The list was incomplete. What it reported of this certificate is disregarded until the next one.
    deps.observations.forget(keyOf(certificate));
    if (details.status === 'unknown' || details.status === certificateStatus) return { requeueAfterMs: 0 };
    return recordCaStatus(work, details.status);
  }
  const key = candidates.length > 0 ? await publicKeyOf(work, certificateId, details) : undefined;
  for (const id of key === undefined ? [] : candidates) {
    const candidate = await orGone(client.getCertificate(id, 'cert', callOptions(work)));
    if (candidate === undefined || readCertificate(candidate).publicKeyFingerprint !== key) continue;
    log.info({ certificateId, successor: id }, 'Somebody reissued the certificate; its successor is adopted');
    const status = { ...certificate.status, certificateStatus: 'obsolete' } as const;
    const replaced = withInputs(work, { certificate: { ...certificate, status } });
    return publish(replaced, { certificateId: id, outcome: 'adopted' });
  }
  return recordCaStatus(work, 'obsolete');
}

/** The public key of the unlisted certificate: from the CA, or else from the Secret. */
async function publicKeyOf(
  work: Work,
  certificateId: number,
  details: CertificateDetails | undefined,
): Promise<string | undefined> {
  const { deps, inputs, issuer, signal } = work;
  const atCa = details && (await certificateAtCa(issuer.account.client, certificateId, callOptions(work)));
  if (atCa) return atCa.publicKeyFingerprint;
  const secret = await deps.kube.find(secrets, secretRef(inputs.certificate), { signal });
  return secret && readSecret(tinycertKind, secret)?.leaf.publicKeyFingerprint;
}
