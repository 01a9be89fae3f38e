import { afterStored } from '../../issuance/decide/after-stored.ts';
import type { Stored } from '../../issuance/secret/kept.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { NO_FAILURE } from '../../issuance/attempt/retry-backoff.ts';
import { READY, secretHoldsCurrent } from '../../issuance/decide/readiness.ts';
import { dueAt, nextReconcileAt } from '../../issuance/renewal/plan.ts';
import { present } from '../../issuance/secret/certificate-secrets.ts';
import { ExpiredError, checkMaterial } from '../../issuance/secret/check-material.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';
import type { SecretSource } from '../../issuance/secret/outputs.ts';
import { secretMetadata, tinycertKind } from '../../issuance/tinycert/kind.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf } from '../../kube/objects.ts';
import { AppError, TerminalError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { DECIDE_AGAIN_MS, type Work, callOptions } from '../context/work.ts';
import { settledCondition } from '../decide/readiness.ts';
import { afterReplacement } from '../decide/revoke-replaced.ts';
import type { Publication } from '../decide/types.ts';
import { type NewerInSecret, newerInSecret } from '../secret/newer-in-secret.ts';
import { syncSecret } from '../secret/proven-id.ts';
import { type StatusChange, recordResult } from '../status/record.ts';
import { afterFailedPublication } from './failure.ts';

/** The Secret already holds a newer certificate, which another process wrote. */
class SecretIsNewer extends AppError {
  constructor() {
    super('SecretIsNewer', 'The Secret holds a newer certificate; it is not replaced by an older one.');
  }
}

/** The CA itself states that it no longer has a certificate whose Secret has to be filled. */
class CertificateGone extends AppError {
  constructor(options?: ErrorOptions) {
    super(
      'CertificateGone',
      'TinyCert no longer has the certificate, so its Secret cannot be restored: another one is issued.',
      options,
    );
  }
}

/**
 * Writes a certificate of the CA into the Secret and then the result into status. Whatever fails, the id is not lost and
 * nothing is bought: the same id is fetched again (`failedCheckKeepsId`).
 */
export async function publish(work: Work, publication: Publication): Promise<ReconcileResult> {
  const { deps, inputs, issuer, signal } = work;
  const { outcome } = publication;
  let published: Published;
  try {
    published = await intoSecret(work, publication.certificateId);
    failpoint('secret');
  } catch (error) {
    const leaf = expiredMeanwhile(work, publication, error);
    if (leaf) return recordExpired(work, publication, leaf);
    const why = await whyUnfetched(work, publication.certificateId, error);
    return afterFailedPublication(work, publication, why);
  }
  const { attempt } = inputs.certificate.status ?? {};
  const altered = afterStored(deps, inputs, published.stored);
  const certificate = await recordResult(deps, {
    certificate: inputs.certificate,
    change: { ...resultOf(work, outcome, published), ...altered.change },
    conditions: [outcome === 'republished' ? settledCondition(inputs) : READY, ...altered.conditions],
    removed: altered.removed,
    sealer: issuer.account,
    signal,
  });
  failpoint('result');
  if (attempt) deps.attempts.forget(attempt.id);
  if (attempt && outcome !== 'republished') {
    deps.metrics.issuances.inc({ operation: attempt.operation === 'New' ? 'new' : 'reissue', outcome });
  }
  return {
    ...altered.result,
    requeueAt: nextReconcileAt({
      certificate: { ...inputs.certificate, ...(certificate.status ? { status: certificate.status } : {}) },
      now: deps.clock.now(),
    }),
  };
}

/** The purchased certificate, if it was valid when it was bought and expired before it reached the Secret. */
function expiredMeanwhile(
  { inputs }: Work,
  { outcome }: Publication,
  error: unknown,
): Certificate | undefined {
  if (outcome === 'republished' || !(error instanceof ExpiredError)) return undefined;
  const { attempt } = inputs.certificate.status ?? {};
  return error.leaf.notAfter > Date.parse(attempt?.startTime ?? '') ? error.leaf : undefined;
}

/** Records a certificate that expired before it could be served, so that it is renewed like any other. */
async function recordExpired(
  work: Work,
  { certificateId, outcome }: Publication,
  leaf: Certificate,
): Promise<ReconcileResult> {
  const { deps, inputs, issuer, signal } = work;
  const { spec, status } = inputs.certificate;
  const why = {
    reason: 'Expired',
    message: `Certificate ${certificateId} expired at ${rfc3339(leaf.notAfter)}, before it could be served, and is being renewed.`,
  };
  await recordResult(deps, {
    certificate: inputs.certificate,
    change: resultOf(work, outcome, { certificateId, leaf, stored: { metadata: { name: spec.secretName } } }),
    conditions: [
      { type: 'Ready', status: 'False', ...why },
      { type: 'Issuing', status: 'True', ...why },
    ],
    sealer: issuer.account,
    signal,
  });
  if (status?.attempt) deps.attempts.forget(status.attempt.id);
  return { requeueAfterMs: DECIDE_AGAIN_MS };
}

/** What the Secret holds in the end. */
interface Published {
  certificateId: number;
  leaf: Certificate;
  stored: Stored;
}

/** Writes a certificate into the Secret, unless that holds it already, or a later one that must stay. */
async function intoSecret(work: Work, certificateId: number): Promise<Published> {
  const { inputs, issuer } = work;
  const kept = await newerInSecret(work, certificateId);
  if (kept) return keep(work, kept);
  const source = await fetchSource(work, certificateId);
  issuer.account.gate.succeeded(keyOf(inputs.certificate), inputs.turn.epoch);
  failpoint('check');
  const { leaf } = source;
  const later = await newerInSecret(work, certificateId, leaf);
  if (later) return keep(work, later);
  return { certificateId, leaf, stored: await writeSecret(work, certificateId, source) };
}

async function keep(work: Work, { certificateId, leaf }: NewerInSecret): Promise<Published> {
  const { secret } = work.inputs;
  if (secret.state !== 'changed') throw new TerminalError('NoContent', 'There is no Secret to keep.');
  return { certificateId, leaf, stored: await syncSecret(work, secret, certificateId) };
}

/** Fetches chain and key of a certificate and checks them. */
async function fetchSource(work: Work, certificateId: number): Promise<SecretSource> {
  const { deps, inputs, issuer } = work;
  const { client } = issuer.account;
  const [authority, chain, key] = await Promise.all([
    issuer.material(),
    client.getCertificate(certificateId, 'chain', callOptions(work)),
    client.getCertificate(certificateId, 'key.dec', callOptions(work)),
  ]);
  const expected = { names: inputs.names, root: authority.root, now: deps.clock.now() };
  return checkMaterial(tinycertKind, { chain, key }, expected);
}

async function writeSecret(
  { deps, inputs, issuer, signal }: Work,
  certificateId: number,
  source: SecretSource,
): Promise<Stored> {
  const { certificate, names, secret: view, sealed, specHash } = inputs;
  const { status } = certificate;
  // An unchanged Secret holds what status names. The content of a changed one has been compared.
  const isSame = status?.authorityId === issuer.authority.id && status.specHash === specHash;
  const isCurrent = view.state === 'unchanged' || secretHoldsCurrent({ certificate, secret: view });
  const idInSecret = isCurrent && isSame && sealed !== false ? status.certificateId : undefined;
  if (idInSecret !== undefined && idInSecret > certificateId) throw new SecretIsNewer();
  const wanted = secretMetadata(certificate, names, certificateId);
  return deps.certificateSecrets.publish(certificate, source, wanted, present(view), signal);
}

function resultOf(
  { deps, inputs, issuer }: Work,
  outcome: Publication['outcome'],
  { certificateId, leaf, stored }: Published,
): StatusChange {
  const { spec, status, metadata } = inputs.certificate;
  const { uid, resourceVersion } = stored.metadata;
  const now = deps.clock.now();
  const isNew = outcome !== 'republished' || certificateId !== status?.certificateId;
  const { attempt } = status ?? {};
  const known = {
    certificateId,
    certificateStatus: (isNew ? undefined : status?.certificateStatus) ?? 'good',
    notBefore: rfc3339(leaf.notBefore),
    notAfter: rfc3339(leaf.notAfter),
    ...(isNew && attempt && attempt.outcome === undefined ? { attempt: { ...attempt, certificateId } } : {}),
  } satisfies CertificateStatus;
  const renewal = dueAt({ certificate: { metadata, spec, status: { ...status, ...known } }, now });
  return {
    ...known,
    ...(isNew ? afterReplacement(spec, status, certificateId, now) : {}),
    authorityId: issuer.authority.id,
    serialNumber: leaf.serialNumber,
    renewalTime: renewal === undefined ? null : rfc3339(renewal),
    revision: (status?.revision ?? 0) + (isNew ? 1 : 0),
    specHash: inputs.specHash,
    ...(uid === undefined ? {} : { secretUID: uid }),
    ...(resourceVersion === undefined ? {} : { secretResourceVersion: resourceVersion }),
    ...NO_FAILURE,
  };
}

/**
 * Why a certificate could not be fetched: a `CertificateGone` once `cert/details` confirms that it does not exist, so that
 * one wrong answer does not lead to a purchase; else the error as it is.
 */
async function whyUnfetched(work: Work, certificateId: number, error: unknown): Promise<unknown> {
  if (!isNotFound(error)) return error;
  try {
    await work.issuer.account.client.getCertificateDetails(certificateId, callOptions(work));
    return error;
  } catch (second) {
    return isNotFound(second) ? new CertificateGone({ cause: error }) : error;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof TinyCertError && error.kind === 'not-found';
}
