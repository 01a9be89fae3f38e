import type { CAcertAttempt, CAcertCertificateStatus } from '../api/cacert/certificate-status.ts';
import { NO_FAILURE, afterFailure } from '../issuance/attempt/retry-backoff.ts';
import { cacertKind } from '../issuance/cacert/kind.ts';
import { dueAt, lookAgainAt } from '../issuance/renewal/plan.ts';
import { present } from '../issuance/secret/certificate-secrets.ts';
import type { Material } from '../issuance/secret/check-material.ts';
import { rfc3339 } from '../issuance/status/conditions.ts';
import type { StatusChange } from '../issuance/status/writer.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import type { Secret } from '../kube/objects.ts';
import { TerminalError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Reason } from '../lib/reason.ts';
import { type Certificate, fingerprintOf } from '../x509/certificate.ts';
import { SERVED, failedConditions, workingConditions } from './decide.ts';
import type { Deps } from './deps.ts';
import type { Inputs } from './inputs.ts';
import { revokeByHand } from './messages.ts';
import { mismatchAdvice } from './preconditions.ts';

/**
 * Brings a certificate into the Secret, then into status, and then removes the Secret that kept its key. Whatever fails, the
 * key and what was signed for it are still there.
 */
export async function publish(
  deps: Deps,
  inputs: Inputs,
  { material, isLate }: { material: Material; isLate: boolean },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { certificate, secret } = inputs;
  failpoint('check');
  const wanted = cacertKind.metadataOf(certificate);
  const metadata = await deps.certificateSecrets.publish(
    certificate,
    material,
    wanted,
    present(secret),
    signal,
  );
  failpoint('secret');
  const result = await conclude(deps, inputs, material.leaf, metadata, signal);
  deps.metrics.issuances.inc({ outcome: isLate ? 'adopted' : 'success' });
  if (inputs.pending.state === 'present') await deps.pendingKeys.forget(certificate, inputs.pending, signal);
  failpoint('forget');
  return result;
}

/** Takes note of what the Secret holds: its write was the last thing that somebody did. */
export async function takeUp(deps: Deps, inputs: Inputs, signal: AbortSignal): Promise<ReconcileResult> {
  const { certificate, secret } = inputs;
  if (secret.state !== 'changed' || !secret.held)
    throw new TerminalError('NothingHeld', 'There is nothing to take up.');
  const wanted = cacertKind.metadataOf(certificate);
  const metadata = await deps.certificateSecrets.keepMetadata(certificate, secret, wanted, signal);
  const result = await conclude(deps, inputs, secret.held.leaf, metadata, signal);
  // The key stands in a second place still.
  return inputs.pending.state === 'present' ? { ...result, requeueAfterMs: 200 } : result;
}

/** Keeps a certificate that cannot be served, and says why. It was paid for, and a person may know what to do with it. */
export async function refuse(
  deps: Deps,
  inputs: Inputs,
  { certificate: pem, fault }: { certificate: string; fault: Reason },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { certificate, pending, now } = inputs;
  const { attempt } = certificate.status ?? {};
  if (!attempt) throw new TerminalError('NoAttempt', 'There is no attempt to end.');
  if (pending.state === 'present') await deps.pendingKeys.keepCertificate(certificate, pending, pem, signal);
  const isOutdated = attempt.specHash !== inputs.specHash;
  const why = {
    reason: fault.reason,
    message: `${fault.message} It is not published${isOutdated ? '.' : mismatchAdvice(attempt)}`,
  };
  const { change } = afterFailure(certificate, now, { isFinal: true });
  await deps.statuses.write({
    certificate,
    // What was asked for an earlier spec says nothing of the present one.
    change: { ...(isOutdated ? {} : change), attempt: { ...attempt, outcome: 'Mismatched' } },
    conditions: isOutdated ? workingConditions(inputs, why) : failedConditions(inputs, why),
    signal,
  });
  deps.attempts.forget(attempt.id);
  deps.metrics.issuances.inc({ outcome: 'mismatched' });
  deps.warn(certificate, why.reason, why.message);
  return { requeueAfterMs: 200 };
}

async function conclude(
  deps: Deps,
  { certificate, specHash }: Inputs,
  leaf: Certificate,
  metadata: Secret['metadata'],
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { status } = certificate;
  const now = deps.clock.now();
  const change = resultOf(certificate, leaf, specHash, metadata, now);
  const generation = certificate.metadata.generation;
  const concluded = await deps.statuses.insist(
    certificate,
    (current) =>
      deps.statuses.write({
        certificate: current,
        change,
        conditions: [SERVED],
        removed: ['Issuing'],
        generation,
        signal,
      }),
    (current) => (current.status?.revision ?? 0) > (status?.revision ?? 0),
    signal,
  );
  failpoint('result');
  if (status?.attempt?.publicKeyHash === leaf.publicKeyFingerprint) deps.attempts.forget(status.attempt.id);
  const before = status?.serialNumber;
  if (
    status &&
    before !== undefined &&
    before !== leaf.serialNumber &&
    Date.parse(status.notAfter ?? '') > now
  )
    deps.warn(certificate, 'ReplacedNotRevoked', revokeByHand(status));
  return { requeueAt: lookAgainAt({ certificate: concluded, now }) };
}

function resultOf(
  { metadata, spec, status }: Inputs['certificate'],
  leaf: Certificate,
  specHash: string,
  { uid, resourceVersion }: Secret['metadata'],
  now: number,
): StatusChange<CAcertCertificateStatus> {
  const attempt = concluded(status?.attempt, leaf);
  const known = {
    serialNumber: leaf.serialNumber,
    issuer: leaf.issuer.commonName ?? '',
    fingerprint: fingerprintOf(leaf),
    notBefore: rfc3339(leaf.notBefore),
    notAfter: rfc3339(leaf.notAfter),
    ...(attempt ? { attempt } : {}),
  };
  const due = dueAt({ certificate: { metadata, spec, status: { ...status, ...known } }, now });
  return {
    ...known,
    specHash,
    renewalTime: due === undefined ? null : rfc3339(due),
    revision: (status?.revision ?? 0) + (status?.serialNumber === leaf.serialNumber ? 0 : 1),
    ...(uid === undefined ? {} : { secretUID: uid }),
    ...(resourceVersion === undefined ? {} : { secretResourceVersion: resourceVersion }),
    ...NO_FAILURE,
  };
}

/** The attempt has what it was for, whatever was thought of it before; unless the certificate is for another key than was sent. */
function concluded(
  attempt: CAcertAttempt | undefined,
  { serialNumber, publicKeyFingerprint }: Certificate,
): CAcertAttempt | undefined {
  if (attempt?.publicKeyHash !== publicKeyFingerprint) return attempt;
  const { outcome: _, ...rest } = attempt;
  return { ...rest, serialNumber };
}
