import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { NO_FAILURE } from '../../issuance/attempt/retry-backoff.ts';
import { READY, secretHoldsCurrent } from '../../issuance/decide/readiness.ts';
import { dueAt, lookAgainAt } from '../../issuance/renewal/plan.ts';
import { present } from '../../issuance/secret/certificate-secrets.ts';
import { ExpiredError, type Material, checkMaterial } from '../../issuance/secret/check-material.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';
import type { ReadyIssuer } from '../../issuance/tinycert/issuer-directory.ts';
import { secretMetadata, tinycertKind } from '../../issuance/tinycert/kind.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { type Secret, keyOf } from '../../kube/objects.ts';
import { AppError, TerminalError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { Deps } from '../context/deps.ts';
import type { Publication, Inputs } from '../context/inputs.ts';
import { settledCondition } from '../decide/plan.ts';
import { afterReplacement } from '../decide/revoke-replaced.ts';
import { type NewerInSecret, newerInSecret } from '../secret/newer-in-secret.ts';
import { keepMetadata } from '../secret/proven-id.ts';
import { type StatusChange, recordResult } from '../status/record.ts';
import { afterFailedConclusion } from './failure.ts';

/** The Secret already holds a newer certificate than the one at hand, which some other process put there. */
class SecretIsNewer extends AppError {
  constructor() {
    super('SecretIsNewer', 'The Secret holds a newer certificate; it is not replaced by an older one.');
  }
}

/** The CA itself says that it no longer has a certificate whose Secret has to be filled. */
class CertificateGone extends AppError {
  constructor(options?: ErrorOptions) {
    super(
      'CertificateGone',
      'TinyCert no longer has the certificate, so that its Secret cannot be filled again: another one is issued.',
      options,
    );
  }
}

/** What was found out is decided on anew. */
const LOOK_AGAIN_MS = 200;

/**
 * Brings a certificate from the CA into the Secret and then into status (rules 4 and 5). Whatever fails, the id is not
 * lost and nothing is bought: the same id is tried again.
 */
export async function conclude(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  conclusion: Publication,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { outcome } = conclusion;
  let published: Published;
  try {
    published = await intoSecret(deps, inputs, issuer, conclusion.certificateId, signal);
    failpoint('secret');
  } catch (error) {
    const leaf = endedMeanwhile(inputs, conclusion, error);
    if (leaf) return takeUnserved(deps, inputs, issuer, conclusion, leaf, signal);
    const why = await whyUnfetched(deps, issuer, conclusion.certificateId, error, signal);
    return afterFailedConclusion(deps, inputs, issuer, conclusion, why, signal);
  }
  const { attempt } = inputs.certificate.status ?? {};
  const certificate = await recordResult(deps, {
    certificate: inputs.certificate,
    change: result(deps.clock.now(), inputs, issuer, outcome, published),
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
  return {
    requeueAt: lookAgainAt({
      certificate: { ...inputs.certificate, ...(certificate.status ? { status: certificate.status } : {}) },
      now: deps.clock.now(),
    }),
  };
}

/** The certificate that was bought, if it was good then and only ended before it came into the Secret. */
function endedMeanwhile(
  { certificate: { status } }: Inputs,
  { outcome }: Publication,
  error: unknown,
): Certificate | undefined {
  if (outcome === 'republished' || !(error instanceof ExpiredError)) return undefined;
  return error.leaf.notAfter > Date.parse(status?.attempt?.startTime ?? '') ? error.leaf : undefined;
}

/** Takes a certificate into status that nobody can be served with any more, so that it is renewed like any that has ended. */
async function takeUnserved(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  { certificateId, outcome }: Publication,
  leaf: Certificate,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { attempt } = inputs.certificate.status ?? {};
  const why = {
    reason: 'Expired',
    message: `Certificate ${certificateId} expired at ${rfc3339(leaf.notAfter)}, before it could be served, and is being renewed.`,
  };
  const unserved = { certificateId, leaf, metadata: { name: inputs.certificate.spec.secretName } };
  await recordResult(deps, {
    certificate: inputs.certificate,
    change: result(deps.clock.now(), inputs, issuer, outcome, unserved),
    conditions: [
      { type: 'Ready', status: 'False', ...why },
      { type: 'Issuing', status: 'True', ...why },
    ],
    sealer: issuer.account,
    signal,
  });
  if (attempt) deps.attempts.forget(attempt.id);
  return { requeueAfterMs: LOOK_AGAIN_MS };
}

/** What the Secret holds in the end. */
interface Published {
  certificateId: number;
  leaf: Certificate;
  metadata: Secret['metadata'];
}

/** Brings a certificate into the Secret, unless it holds that one already, or a later one that must stay (rule 5). */
async function intoSecret(
  deps: Deps,
  inputs: Inputs,
  issuer: ReadyIssuer,
  certificateId: number,
  signal: AbortSignal,
): Promise<Published> {
  const kept = await newerInSecret(deps, inputs, issuer, certificateId, undefined, signal);
  if (kept?.isPlain) return keep(deps, inputs, kept, signal);
  const wanted = kept?.certificateId ?? certificateId;
  const material = await fetchMaterial(deps, inputs, issuer, wanted, signal);
  issuer.account.gate.succeeded(keyOf(inputs.certificate), inputs.turn.epoch);
  failpoint('check');
  const { leaf } = material;
  const later = kept ? undefined : await newerInSecret(deps, inputs, issuer, wanted, leaf, signal);
  if (later?.isPlain) return keep(deps, inputs, later, signal);
  if (later) return intoSecret(deps, inputs, issuer, later.certificateId, signal);
  return {
    certificateId: wanted,
    leaf,
    metadata: await writeSecret(deps, inputs, issuer, wanted, material, signal),
  };
}

async function keep(
  deps: Deps,
  inputs: Inputs,
  { certificateId, leaf }: NewerInSecret,
  signal: AbortSignal,
): Promise<Published> {
  const { secret } = inputs;
  if (secret.state !== 'changed') throw new TerminalError('NothingHeld', 'There is no Secret to keep.');
  return { certificateId, leaf, metadata: await keepMetadata(deps, inputs, secret, certificateId, signal) };
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
  return checkMaterial(
    tinycertKind,
    { chain, key },
    { names: inputs.names, root: authority.root, now: deps.clock.now() },
  );
}

async function writeSecret(
  deps: Deps,
  { certificate, names, secret: view, sealed, specHash }: Inputs,
  { authority }: ReadyIssuer,
  certificateId: number,
  material: Material,
  signal: AbortSignal,
): Promise<Secret['metadata']> {
  const { status } = certificate;
  // An unchanged Secret holds what status says; what a changed one holds has been looked at.
  const isSame = status?.authorityId === authority.id && status.specHash === specHash;
  const isOwn = view.state === 'unchanged' || secretHoldsCurrent({ certificate, secret: view });
  const heldId = isOwn && isSame && sealed !== false ? status.certificateId : undefined;
  if (heldId !== undefined && heldId > certificateId) throw new SecretIsNewer();
  const wanted = secretMetadata(certificate, names, certificateId);
  return deps.certificateSecrets.publish(certificate, material, wanted, present(view), signal);
}

function result(
  now: number,
  inputs: Inputs,
  { authority }: ReadyIssuer,
  outcome: Publication['outcome'],
  { certificateId, leaf, metadata: written }: Published,
): StatusChange {
  const { spec, status, metadata } = inputs.certificate;
  const { uid, resourceVersion } = written;
  const isNew = outcome !== 'republished' || certificateId !== status?.certificateId;
  const { attempt } = status ?? {};
  const known = {
    certificateId,
    certificateStatus: (isNew ? undefined : status?.certificateStatus) ?? 'good',
    notBefore: rfc3339(leaf.notBefore),
    notAfter: rfc3339(leaf.notAfter),
    ...(isNew && attempt && attempt.outcome === undefined ? { attempt: { ...attempt, certificateId } } : {}),
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
    ...NO_FAILURE,
  };
}

/**
 * What a certificate that cannot be fetched failed for: that it does not exist, once `cert/details` has said so too, so
 * that one wrong answer does not lead to another purchase. Any other error is given back as it is.
 */
async function whyUnfetched(
  deps: Deps,
  { account }: ReadyIssuer,
  certificateId: number,
  error: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (!isNotFound(error)) return error;
  try {
    const options = { signal, deadlineMs: deps.timing.callDeadline };
    await account.client.getCertificateDetails(certificateId, options);
    return error;
  } catch (second) {
    return isNotFound(second) ? new CertificateGone({ cause: error }) : error;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof TinyCertError && error.kind === 'not-found';
}
