import { tinycertKind } from '../../issuance/tinycert/kind.ts';
import { certificateAtCa, orGone } from '../../issuance/tinycert/lookup.ts';
import { readSecret } from '../../issuance/secret/read-secret.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import type { ReconcileContext, ReconcileResult } from '../../kube/controller/controller.ts';
import { secrets } from '../../kube/objects.ts';
import { readCertificate } from '../../x509/certificate.ts';
import { conclude } from './publish.ts';
import type { Deps } from '../context/deps.ts';
import { secretRef } from '../../issuance/certificate-kind.ts';
import type { Inputs } from '../context/inputs.ts';
import { recordCaStatus } from '../status/record-ca-status.ts';

/**
 * After somebody reissued a certificate by hand: the newest one with the same public key takes its place, without buying.
 * If there is none, status says that the CA no longer lists it. Rejects with a `TinyCertError` or an `ApiError`.
 */
export async function follow(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  candidates: readonly number[],
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { certificate } = inputs;
  const { certificateId = 0, certificateStatus } = certificate.status ?? {};
  const options = { signal: context.signal, deadlineMs: deps.timing.callDeadline };
  const { client } = issuer.account;
  const details = await orGone(client.getCertificateDetails(certificateId, options));
  if (details && details.status !== 'obsolete') {
    // The list was not whole. What it says of this one is not believed until the next.
    deps.observations.drop(certificate);
    if (details.status === 'unknown' || details.status === certificateStatus) return { requeueAfterMs: 0 };
    return recordCaStatus(deps, inputs, details.status, context);
  }
  const key = candidates.length > 0 ? await publicKey() : undefined;
  for (const id of key === undefined ? [] : candidates) {
    const candidate = await orGone(client.getCertificate(id, 'cert', options));
    if (candidate === undefined || readCertificate(candidate).publicKeyFingerprint !== key) continue;
    context.log.info(
      { certificateId, successor: id },
      'Somebody reissued the certificate; its successor is adopted',
    );
    const status = { ...certificate.status, certificateStatus: 'obsolete' } as const;
    const replaced = { ...inputs, certificate: { ...certificate, status } };
    return conclude(deps, replaced, issuer, { certificateId: id, outcome: 'adopted' }, context.signal);
  }
  return recordCaStatus(deps, inputs, 'obsolete', context);

  /** Of the certificate that is no longer listed, from the CA or else from the Secret. */
  async function publicKey(): Promise<string | undefined> {
    const atCa = details && (await certificateAtCa(client, certificateId, options));
    if (atCa) return atCa.publicKeyFingerprint;
    const secret = await deps.kube.find(secrets, secretRef(certificate), { signal: context.signal });
    return secret && readSecret(tinycertKind, secret)?.leaf.publicKeyFingerprint;
  }
}
