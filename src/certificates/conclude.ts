import type { CertificateStatus } from '../api/certificate-status.ts';
import { checkMaterial, type Material } from '../issuance/checks.ts';
import { rfc3339 } from '../issuance/conditions.ts';
import type { ReadyIssuer } from '../issuance/issuer-directory.ts';
import { publish } from '../issuance/publish.ts';
import type { ReconcileResult } from '../kube/controller.ts';
import { refKey, type Secret } from '../kube/objects.ts';
import { failpoint } from '../lib/failpoint.ts';
import { READY, settledCondition } from './decide.ts';
import type { Deps } from './deps.ts';
import { afterFailedConclusion } from './failure.ts';
import { secretRef } from './gather.ts';
import type { Conclusion, Inputs } from './inputs.ts';
import { dueAt, lookAgainAt } from './needs.ts';
import { afterReplacement } from './replaced.ts';
import { recordResult, type StatusChange } from './record.ts';

/**
 * Brings a certificate from the CA into the Secret and then into status (rules 4 and 5). Whatever fails, the id is not
 * lost and nothing is bought: the same id is tried again.
 */
export async function conclude(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  conclusion: Conclusion,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { certificateId, outcome } = conclusion;
  let secret: Pick<Secret, 'metadata'>;
  let material: Material;
  try {
    material = await fetchMaterial(deps, inputs, issuer, certificateId, signal);
    failpoint('check');
    secret = await writeSecret(deps, inputs, certificateId, material, signal);
    failpoint('secret');
  } catch (error) {
    return afterFailedConclusion(deps, inputs, issuer, conclusion, error, signal);
  }
  const { attempt } = inputs.certificate.status ?? {};
  const certificate = await recordResult(deps, {
    certificate: inputs.certificate,
    change: result(deps.clock.now(), inputs, issuer, conclusion, material, secret),
    conditions: [outcome === 'republished' ? settledCondition(inputs) : READY],
    removed: ['Issuing'],
    sealer: issuer.account,
    signal,
  });
  failpoint('result');
  if (attempt) deps.attempts.forget(attempt.id);
  if (attempt && outcome !== 'republished') {
    deps.metrics.issuances.inc({ operation: attempt.operation === 'New' ? 'new' : 'reissue', outcome });
  }
  const requeueAt = lookAgainAt({
    certificate: { ...inputs.certificate, ...(certificate.status ? { status: certificate.status } : {}) },
    now: deps.clock.now(),
  });
  return requeueAt === undefined ? {} : { requeueAt };
}

/** Chain and key of a certificate, checked. */
async function fetchMaterial(
  deps: Deps,
  inputs: Inputs,
  { account, material }: ReadyIssuer,
  certificateId: number,
  signal: AbortSignal,
): Promise<Material> {
  const options = { signal, deadlineMs: deps.timing.callDeadline };
  const [authority, chain, key] = await Promise.all([
    material(),
    account.client.getCertificate(certificateId, 'chain', options),
    account.client.getCertificate(certificateId, 'key.dec', options),
  ]);
  return checkMaterial({ chain, key }, { names: inputs.names, root: authority.root, now: deps.clock.now() });
}

async function writeSecret(
  deps: Deps,
  { certificate, names, secret: view }: Inputs,
  certificateId: number,
  material: Material,
  signal: AbortSignal,
): Promise<Pick<Secret, 'metadata'>> {
  const present =
    view.state === 'unchanged' || view.state === 'changed' ? { metadata: view.metadata } : undefined;
  // An unchanged Secret holds what status says; of a changed one nothing is certain.
  const heldId = view.state === 'unchanged' ? certificate.status?.certificateId : undefined;
  const secret = await publish(
    deps.kube,
    { certificate, certificateId, names, material, present, heldId },
    signal,
  );
  const { metadata } = secret;
  deps.writtenSecrets.note(refKey(secretRef(certificate)), present?.metadata.resourceVersion, { metadata });
  return secret;
}

function result(
  now: number,
  inputs: Inputs,
  { authority }: ReadyIssuer,
  { certificateId, outcome }: Conclusion,
  { leaf }: Material,
  secret: Pick<Secret, 'metadata'>,
): StatusChange {
  const { spec, status, metadata } = inputs.certificate;
  const { uid, resourceVersion } = secret.metadata;
  const isNew = outcome !== 'republished';
  const known = {
    certificateId,
    certificateStatus: (isNew ? undefined : status?.certificateStatus) ?? 'good',
    notBefore: rfc3339(leaf.notBefore),
    notAfter: rfc3339(leaf.notAfter),
    ...(isNew && status?.attempt ? { attempt: { ...status.attempt, certificateId } } : {}),
  } satisfies CertificateStatus;
  const promised = isNew ? afterReplacement(spec, status, certificateId, now) : {};
  const renewal = dueAt({ certificate: { metadata, spec, status: { ...status, ...known } }, now });
  return {
    ...known,
    ...promised,
    authorityId: authority.id,
    serialNumber: leaf.serialNumber,
    renewalTime: renewal === undefined ? null : rfc3339(renewal),
    revision: (status?.revision ?? 0) + (isNew ? 1 : 0),
    specHash: inputs.specHash,
    ...(uid === undefined ? {} : { secretUID: uid }),
    ...(resourceVersion === undefined ? {} : { secretResourceVersion: resourceVersion }),
    failedAttempts: null,
    lastFailureTime: null,
    nextAttemptTime: null,
  };
}
