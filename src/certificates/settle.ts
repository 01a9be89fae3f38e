import { rfc3339 } from '../issuance/conditions.ts';
import { secretMetadata } from '../issuance/outputs.ts';
import { ownersChange } from '../issuance/secret-owner.ts';
import type { ReconcileResult } from '../kube/controller.ts';
import { refKey, secrets } from '../kube/objects.ts';
import { settledCondition } from './decide.ts';
import type { Deps } from './deps.ts';
import { secretRef } from './gather.ts';
import type { Inputs } from './inputs.ts';
import { dueAt, lookAgainAt } from './needs.ts';
import { record } from './record.ts';
import { idleConditions } from './standing.ts';

/** Status says how things stand, after a change that needs no certificate. */
export async function settle(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate, secret } = inputs;
  const seen = secret.state === 'unchanged' || secret.state === 'changed' ? secret.metadata : undefined;
  const due = dueAt(inputs);
  await record(deps, {
    certificate,
    change: {
      ...(seen?.uid === undefined ? {} : { secretUID: seen.uid }),
      ...(seen?.resourceVersion === undefined ? {} : { secretResourceVersion: seen.resourceVersion }),
      renewalTime: due === undefined ? null : rfc3339(due),
      failedAttempts: null,
      lastFailureTime: null,
      nextAttemptTime: null,
    },
    conditions: [settledCondition(inputs), ...idleConditions(certificate)],
    removed: certificate.spec.suspend ? [] : ['Issuing'],
    signal,
  });
  const requeueAt = lookAgainAt(inputs);
  return requeueAt === undefined ? {} : { requeueAt };
}

/** Puts labels and annotations back on a Secret whose content is sound. */
export async function relabel(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate, names, secret } = inputs;
  const { certificateId } = certificate.status ?? {};
  if (secret.state !== 'changed' || certificateId === undefined) return {};
  const ref = secretRef(certificate);
  const { resourceVersion } = secret.metadata;
  const wanted = secretMetadata(certificate, names, certificateId);
  const owners = ownersChange(certificate, secret.metadata);
  const patch = { metadata: { resourceVersion, ...wanted, ...owners } };
  const { metadata } = await deps.kube.mergePatch(secrets, ref, patch, { metadataOnly: true, signal });
  deps.writtenSecrets.note(refKey(ref), resourceVersion, { metadata });
  return settle(deps, { ...inputs, secret: { ...secret, metadata } }, signal);
}
