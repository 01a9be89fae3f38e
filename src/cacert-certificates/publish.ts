import type { CAcertCertificateStatus } from '../api/cacert/certificate-status.ts';
import { NO_FAILURE, afterFailure } from '../issuance/attempt/retry-backoff.ts';
import { cacertKind } from '../issuance/cacert/kind.ts';
import { afterStored } from '../issuance/decide/after-stored.ts';
import type { Stored } from '../issuance/secret/kept.ts';
import { dueAt, nextReconcileAt } from '../issuance/renewal/plan.ts';
import { present } from '../issuance/secret/certificate-secrets.ts';
import { recordedSecret } from '../issuance/secret/recorded.ts';
import { rfc3339 } from '../issuance/status/conditions.ts';
import type { StatusChange } from '../issuance/status/writer.ts';
import type { ReconcileResult } from '../kube/controller/controller.ts';
import type { Secret } from '../kube/objects.ts';
import { TerminalError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { type Certificate, fingerprintOf } from '../x509/certificate.ts';
import { endAttempt, hasOtherResult, servedAfter, startOf, unservedAfter } from './attempt.ts';
import { DECIDE_AGAIN_MS } from './backoffs.ts';
import type { Plan } from './decide.ts';
import type { Deps } from './deps.ts';
import type { Inputs } from './inputs.ts';
import { revokeByHand } from './messages.ts';
import { pendingSecretRef } from './pending-keys.ts';
import { mismatchAdvice } from './preconditions.ts';
import { SERVED, failedConditions, workingConditions } from './readiness.ts';
import type { Step } from './work.ts';

/**
 * Writes a certificate into the Secret and then the result into status, then deletes the Secret of the pending key. If any
 * of these fails, key and certificate still exist.
 */
export async function publish(
  step: Step,
  { source, isLate }: Pick<Extract<Plan, { do: 'publish' }>, 'source' | 'isLate'>,
): Promise<ReconcileResult> {
  const { deps, inputs, signal } = step;
  const { certificate, secret, pending } = inputs;
  failpoint('check');
  const stored = await deps.certificateSecrets.publish(
    certificate,
    source,
    cacertKind.metadataOf(certificate),
    present(secret),
    signal,
  );
  failpoint('secret');
  const result = await writeResult(step, source.leaf, stored);
  deps.metrics.issuances.inc({ outcome: isLate ? 'adopted' : 'success' });
  if (pending.state === 'present') await deps.pendingKeys.forget(certificate, pending, signal);
  failpoint('forget');
  return result;
}

/** Takes the certificate that the Secret already holds into status. */
export async function adopt(
  step: Step,
  { source }: Pick<Extract<Plan, { do: 'adopt' }>, 'source'>,
): Promise<ReconcileResult> {
  const { deps, inputs, signal } = step;
  const { certificate, secret, pending } = inputs;
  if (secret.state !== 'changed' || !secret.content)
    throw new TerminalError('NothingHeld', 'The Secret holds no certificate to adopt.');
  const wanted = cacertKind.metadataOf(certificate);
  const stored = await deps.certificateSecrets.sync(certificate, secret, wanted, source, signal);
  const result = await writeResult(step, secret.content.leaf, stored);
  // The pending key is a second copy, which the next reconcile deletes.
  return pending.state === 'present' ? { ...result, requeueAfterMs: DECIDE_AGAIN_MS } : result;
}

/** Keeps a certificate that must not be served, and reports why. It was bought, and a person may know what to do with it. */
export async function refuse(
  { deps, inputs, view, signal }: Step,
  { certificate: pem, fault }: Pick<Extract<Plan, { do: 'refuse' }>, 'certificate' | 'fault'>,
): Promise<ReconcileResult> {
  const { certificate, pending, now, attempt } = inputs;
  if (!attempt) throw new TerminalError('NoAttempt', 'There is no attempt to end.');
  if (pending.state === 'present') await deps.pendingKeys.keepCertificate(certificate, pending, pem, signal);
  const isOutdated = attempt.entry?.specHash !== inputs.specHash;
  const why = {
    reason: fault.reason,
    message: `${fault.message} It is not published${isOutdated ? '.' : mismatchAdvice({ secretName: pendingSecretRef(certificate).name })}`,
  };
  const { change } = afterFailure(certificate, now, why, { isFinal: true });
  await deps.statuses.write({
    certificate,
    // The answer to an earlier spec is no failure of the present one.
    change: { ...(isOutdated ? {} : change), ...unservedAfter(inputs, 'Mismatched') },
    conditions: isOutdated ? workingConditions(inputs, why) : failedConditions(inputs, why),
    signal,
  });
  endAttempt(deps, view, certificate, attempt);
  deps.metrics.issuances.inc({ outcome: 'mismatched' });
  deps.warn(certificate, why.reason, why.message);
  return { requeueAfterMs: DECIDE_AGAIN_MS };
}

async function writeResult(
  { deps, inputs, view, signal }: Step,
  leaf: Certificate,
  stored: Stored,
): Promise<ReconcileResult> {
  const { certificate, attempt } = inputs;
  const now = deps.clock.now();
  const altered = afterStored(deps, inputs, stored);
  const change = { ...resultOf(inputs, leaf, stored.metadata, now), ...altered.change };
  const generation = certificate.metadata.generation;
  const published = await deps.statuses.insist(
    certificate,
    (current) =>
      deps.statuses.write({
        certificate: current,
        change,
        conditions: [SERVED, ...altered.conditions],
        removed: altered.removed,
        generation,
        signal,
      }),
    (current) => hasOtherResult(certificate, current),
    signal,
  );
  failpoint('result');
  if (attempt && published.status?.attemptId === attempt.id) endAttempt(deps, view, certificate, attempt);
  warnOfReplaced(deps, certificate, leaf, now);
  return {
    ...altered.result,
    requeueAt: nextReconcileAt({ certificate: published, now }),
  };
}

/** A replaced certificate stays valid until it expires: only a person can revoke it. */
function warnOfReplaced(
  deps: Deps,
  certificate: Inputs['certificate'],
  leaf: Certificate,
  now: number,
): void {
  const { status } = certificate;
  if (status?.serialNumber === undefined || status.serialNumber === leaf.serialNumber) return;
  if (Date.parse(status.notAfter ?? '') > now)
    deps.warn(certificate, 'ReplacedNotRevoked', revokeByHand(status));
}

function resultOf(
  inputs: Inputs,
  leaf: Certificate,
  stored: Secret['metadata'],
  now: number,
): StatusChange<CAcertCertificateStatus> {
  const { certificate, specHash } = inputs;
  const { metadata, spec, status } = certificate;
  const known = {
    serialNumber: leaf.serialNumber,
    issuer: leaf.issuer.commonName ?? '',
    fingerprint: fingerprintOf(leaf),
    notBefore: rfc3339(leaf.notBefore),
    notAfter: rfc3339(leaf.notAfter),
  };
  // It says nothing of a certificate that came of another attempt, or may have: one for the same key had no certain end.
  const { attemptTime: before, ...others } = status ?? {};
  const isSame = status?.serialNumber === leaf.serialNumber;
  const isOnlyOne = status?.unserved?.publicKeyHash !== leaf.publicKeyFingerprint;
  const startTime = isOnlyOne ? startOf(inputs, leaf.publicKeyFingerprint) : undefined;
  const attemptTime = startTime ?? (isSame ? before : undefined);
  const after = { ...others, ...known, ...(attemptTime === undefined ? {} : { attemptTime }) };
  const due = dueAt({ certificate: { metadata, spec, status: after }, now });
  return {
    ...known,
    attemptTime: attemptTime ?? null,
    ...servedAfter(inputs, leaf.publicKeyFingerprint),
    specHash,
    renewalTime: due === undefined ? null : rfc3339(due),
    revision: (status?.revision ?? 0) + (isSame ? 0 : 1),
    ...recordedSecret(certificate, stored),
    ...NO_FAILURE,
  };
}
