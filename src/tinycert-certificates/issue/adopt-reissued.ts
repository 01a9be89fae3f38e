import { type CertificateRef, certificateRef } from '../../api/tinycert/identity.ts';
import { secretRef } from '../../issuance/certificate-kind.ts';
import { readSecret } from '../../issuance/secret/read-secret.ts';
import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { certificateAtCa, idAt, orGone } from '../../issuance/tinycert/lookup.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf, secrets } from '../../kube/objects.ts';
import type { CertificateDetails } from '../../tinycert/index.ts';
import { TerminalError } from '../../lib/errors.ts';
import { callOptions, type Work, withInputs } from '../context/work.ts';
import { recordCaStatus } from '../status/record-ca-status.ts';
import { publish } from './publish.ts';

/**
 * Adopts what somebody reissued the certificate as by hand: the newest candidate with the same public key. Nothing is bought.
 * Without one, status records that the CA no longer lists the certificate. Rejects with a `TinyCertError` or an `ApiError`.
 */
export async function adoptReissued(
  work: Work,
  candidates: readonly CertificateRef[],
): Promise<ReconcileResult> {
  const { deps, inputs, issuer, log } = work;
  const { certificate } = inputs;
  const present = certificateRef(certificate.status);
  if (!present) throw new TerminalError('NoCertificate', 'There is no certificate to follow.');
  const { certificateStatus } = certificate.status ?? {};
  const { account } = issuer;
  const details = await orGone(() =>
    account.client.getCertificateDetails(idAt(account, present), callOptions(work)),
  );
  if (details && details.status !== 'obsolete') {
    // The list was incomplete. What it reported of this certificate is disregarded until the next one.
    deps.observations.forget(keyOf(certificate));
    if (details.status === 'unknown' || details.status === certificateStatus) return { requeueAfterMs: 0 };
    return recordCaStatus(work, details.status);
  }
  const key = candidates.length > 0 ? await publicKeyOf(work, present, details) : undefined;
  for (const successor of key === undefined ? [] : candidates) {
    const candidate = await certificateAtCa(account, successor, callOptions(work));
    if (candidate?.publicKeyFingerprint !== key) continue;
    log.info(
      { certificate: present, successor },
      'Somebody reissued the certificate; its successor is adopted',
    );
    const status = { ...certificate.status, certificateStatus: 'obsolete' } as const;
    const replaced = withInputs(work, { certificate: { ...certificate, status } });
    return publish(replaced, { certificate: successor, outcome: 'adopted' });
  }
  return recordCaStatus(work, 'obsolete');
}

/** The public key of the unlisted certificate: from the CA, or else from the Secret. */
async function publicKeyOf(
  work: Work,
  certificate: CertificateRef,
  details: CertificateDetails | undefined,
): Promise<string | undefined> {
  const { deps, inputs, issuer, signal } = work;
  const atCa = details && (await certificateAtCa(issuer.account, certificate, callOptions(work)));
  if (atCa) return atCa.publicKeyFingerprint;
  const secret = await deps.kube.find(secrets, secretRef(inputs.certificate), { signal });
  return secret && readSecret(tinycertKind, secret)?.leaf.publicKeyFingerprint;
}
