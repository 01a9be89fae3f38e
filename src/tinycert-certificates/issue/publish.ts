import { afterStored } from '../../issuance/decide/after-stored.ts';
import type { Stored } from '../../issuance/secret/kept.ts';
import type { CertificateStatus } from '../../api/tinycert/certificate-status.ts';
import { type CertificateRef, isSameAuthority, isSameCertificate } from '../../api/tinycert/identity.ts';
import { NO_FAILURE } from '../../issuance/attempt/retry-backoff.ts';
import { READY, secretHoldsCurrent } from '../../issuance/decide/readiness.ts';
import { dueAt, nextReconcileAt } from '../../issuance/renewal/plan.ts';
import { present } from '../../issuance/secret/certificate-secrets.ts';
import { ExpiredError, MaterialError, checkMaterial } from '../../issuance/secret/check-material.ts';
import { recordedSecret } from '../../issuance/secret/recorded.ts';
import { rfc3339 } from '../../issuance/status/conditions.ts';
import type { SecretSource } from '../../issuance/secret/outputs.ts';
import { attemptOwner } from '../../issuance/tinycert/attempt.ts';
import { secretMetadata, tinycertKind } from '../../issuance/tinycert/kind.ts';
import { idAt, isAtCa } from '../../issuance/tinycert/lookup.ts';
import type { ReconcileResult } from '../../kube/controller/controller.ts';
import { keyOf } from '../../kube/objects.ts';
import { AppError, TerminalError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoint.ts';
import { TinyCertError } from '../../tinycert/index.ts';
import { type Certificate, readBundle } from '../../x509/certificate.ts';
import { PEM_LIMITS } from '../../x509/pem.ts';
import { endAttempt } from '../context/attempts.ts';
import { DECIDE_AGAIN_MS, type Work, callOptions } from '../context/work.ts';
import { settledCondition } from '../decide/readiness.ts';
import { afterReplacement } from '../decide/revoke-replaced.ts';
import type { Publication } from '../decide/types.ts';
import { type NewerInSecret, newerInSecret } from '../secret/newer-in-secret.ts';
import { provenCertificate, syncSecret } from '../secret/proven-id.ts';
import { type Recording, type StatusChange, recordResult } from '../status/record.ts';
import { afterDoubt, AnswerDoubted, assertFits } from './doubt.ts';
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
    published = await intoSecret(work, publication);
    failpoint('secret');
  } catch (error) {
    if (inputs.attempt && error instanceof AnswerDoubted)
      return afterDoubt(work, inputs.attempt, publication.certificate, error);
    const leaf = expiredMeanwhile(work, publication, error);
    if (leaf) return recordExpired(work, publication, leaf);
    const why = await whyUnfetched(work, publication.certificate, error);
    return afterFailedPublication(work, publication, why);
  }
  const { attempt: open } = inputs;
  const altered = afterStored(deps, inputs, published.stored);
  const certificate = await recordResult(deps, {
    certificate: inputs.certificate,
    change: { ...resultOf(work, publication, published), ...altered.change },
    ...originOf(work, publication, published),
    conditions: [outcome === 'republished' ? settledCondition(inputs) : READY, ...altered.conditions],
    removed: altered.removed,
    sealer: issuer.account,
    signal,
  });
  failpoint('result');
  if (outcome !== 'republished') ended(work, publication);
  if (open && outcome !== 'republished') {
    deps.metrics.issuances.inc({ operation: open.attempt.operation === 'New' ? 'new' : 'reissue', outcome });
  }
  return {
    ...altered.result,
    requeueAt: nextReconcileAt({
      certificate: { ...inputs.certificate, ...(certificate.status ? { status: certificate.status } : {}) },
      now: deps.clock.now(),
    }),
  };
}

/**
 * Records what an attempt bought as the resource's certificate, since the Secret holds it, although the spec asks for something else by
 * now (`heldNotGivenUp`). The next decision replaces it. Resolves with undefined if the Secret does not prove it. Rejects with a
 * `TinyCertError`.
 */
export async function takeHeld(work: Work, bought: CertificateRef): Promise<ReconcileResult | undefined> {
  const { deps, inputs, issuer, signal } = work;
  const { attempt: open, secret, certificate } = inputs;
  if (!open || secret.state !== 'changed' || !secret.content) return undefined;
  const { content } = secret;
  if (!(await provenCertificate(work, content, [bought]))) return undefined;
  const publication = { certificate: bought, outcome: 'adopted' } as const;
  const published = { certificate: bought, leaf: content.leaf, stored: { metadata: secret.metadata } };
  const asked = { ...work, inputs: { ...inputs, specHash: open.attempt.specHash } };
  await recordResult(deps, {
    certificate,
    // The Secret was written for another spec.
    change: { ...resultOf(asked, publication, published), secretGeneration: null },
    ...originOf(work, publication, published),
    sealer: issuer.account,
    signal,
  });
  ended(work, publication);
  return { requeueAfterMs: DECIDE_AGAIN_MS };
}

/** The purchased certificate, if it was valid when it was bought and expired before it reached the Secret. */
function expiredMeanwhile(
  { inputs }: Work,
  { outcome }: Publication,
  error: unknown,
): Certificate | undefined {
  if (outcome === 'republished' || !(error instanceof ExpiredError)) return undefined;
  return error.leaf.notAfter > Date.parse(inputs.attempt?.attempt.startTime ?? '') ? error.leaf : undefined;
}

/** Records a certificate that expired before it could be served, so that it is renewed like any other. */
async function recordExpired(
  work: Work,
  publication: Publication,
  leaf: Certificate,
): Promise<ReconcileResult> {
  const { deps, inputs, issuer, signal } = work;
  const { certificate: expired } = publication;
  const { spec } = inputs.certificate;
  const why = {
    reason: 'Expired',
    message: `Certificate ${expired.certificateId} expired at ${rfc3339(leaf.notAfter)}, before it could be served, and is being renewed.`,
  };
  const published = { certificate: expired, leaf, stored: { metadata: { name: spec.secretName } } };
  await recordResult(deps, {
    certificate: inputs.certificate,
    change: resultOf(work, publication, published),
    ...originOf(work, publication, published),
    conditions: [
      { type: 'Ready', status: 'False', ...why },
      { type: 'Issuing', status: 'True', ...why },
    ],
    sealer: issuer.account,
    signal,
  });
  ended(work, publication);
  return { requeueAfterMs: DECIDE_AGAIN_MS };
}

/** The result names the attempt under its seal: its entry goes, with what is recorded of it (`removeLast`). */
function ended({ deps, inputs, view }: Work, { records }: Publication): void {
  const { attempt: open, certificate } = inputs;
  if (!open) return;
  const owner = attemptOwner(certificate.metadata.uid ?? '', open.attempt.account);
  endAttempt(deps, view, owner, open.id, records);
}

/** What the Secret holds in the end. */
interface Published {
  certificate: CertificateRef;
  leaf: Certificate;
  stored: Stored;
}

/** Writes a certificate into the Secret, unless that holds it already, or a later one that must stay. */
async function intoSecret(work: Work, publication: Publication): Promise<Published> {
  const { inputs, issuer } = work;
  const { certificate: wanted } = publication;
  const kept = await newerInSecret(work, wanted);
  if (kept) return keep(work, kept);
  const source = await fetchSource(work, publication);
  // Only now: an answer may name a certificate that does not exist, and what is bought next must not lie below it.
  issuer.account.noteId(wanted.authorityId, wanted.certificateId);
  issuer.account.gate.succeeded(keyOf(inputs.certificate), inputs.turn.epoch);
  failpoint('check');
  const { leaf } = source;
  const later = await newerInSecret(work, wanted, leaf);
  if (later) return keep(work, later);
  return { certificate: wanted, leaf, stored: await writeSecret(work, wanted, source) };
}

async function keep(work: Work, { certificate, leaf }: NewerInSecret): Promise<Published> {
  const { secret } = work.inputs;
  if (secret.state !== 'changed') throw new TerminalError('NoContent', 'There is no Secret to keep.');
  return { certificate, leaf, stored: await syncSecret(work, secret, certificate) };
}

/** Fetches chain and key of a certificate and checks them, and whether what the CA answered with is what was asked for. */
async function fetchSource(work: Work, { certificate: wanted, outcome }: Publication): Promise<SecretSource> {
  const { deps, inputs, issuer } = work;
  const { attempt: open } = inputs;
  const { client } = issuer.account;
  const id = idAt(issuer.account, wanted);
  const [authority, chain, key] = await Promise.all([
    issuer.material(),
    client.getCertificate(id, 'chain', callOptions(work)),
    client.getCertificate(id, 'key.dec', callOptions(work)),
  ]);
  const known = readBundle(chain, { limit: PEM_LIMITS.chain, known: [authority.root] });
  const [leaf] = known;
  if (leaf) await assertOfId(work, wanted, leaf);
  if (leaf && open && outcome === 'success') await assertFits(work, open.attempt, wanted, leaf);
  const expected = { names: inputs.names, root: authority.root, now: deps.clock.now() };
  return checkMaterial(tinycertKind, { chain, key }, expected, known);
}

/**
 * Throws a `MaterialError` if the CA sent another certificate than the one with this id. All reissues of a certificate have its key and
 * names, so an answer to an earlier call fits as well; one that looks like that is compared with a second answer. Rejects as
 * `certificateAtCa` does.
 */
async function assertOfId(work: Work, wanted: CertificateRef, leaf: Certificate): Promise<void> {
  if (!isLikeEarlier(work.inputs.certificate.status, wanted, leaf)) return;
  if (await isAtCa(work.issuer.account, wanted, leaf, callOptions(work))) return;
  throw new MaterialError(
    'IncorrectCertificate',
    'TinyCert sent another certificate than the one with this id. Check whether a proxy or a cache in front of it repeats answers.',
  );
}

/** Whether a certificate is not the one that status describes under this id; or, under another id, that one itself or an older one. */
function isLikeEarlier(
  status: CertificateStatus | undefined,
  wanted: CertificateRef,
  { serialNumber, notBefore }: Certificate,
): boolean {
  if (status?.serialNumber === undefined || !isSameAuthority(status, wanted)) return false;
  if (isSameCertificate(status, wanted)) return serialNumber !== status.serialNumber;
  return serialNumber === status.serialNumber || notBefore < Date.parse(status.notBefore ?? '');
}

async function writeSecret(
  { deps, inputs, signal }: Work,
  published: CertificateRef,
  source: SecretSource,
): Promise<Stored> {
  const { certificate, names, secret: view, sealed, specHash } = inputs;
  const { status } = certificate;
  // An unchanged Secret holds what status names. The content of a changed one has been compared.
  const isSame = isSameAuthority(status, published) && status?.specHash === specHash;
  const isCurrent = view.state === 'unchanged' || secretHoldsCurrent({ certificate, secret: view });
  const idInSecret = isCurrent && isSame && sealed !== false ? status.certificateId : undefined;
  if (idInSecret !== undefined && idInSecret > published.certificateId) throw new SecretIsNewer();
  const wanted = secretMetadata(certificate, names, published);
  return deps.certificateSecrets.publish(certificate, source, wanted, present(view), signal);
}

/**
 * How a result came about: a certificate that was bought, and not published since the Secret holds a later one, is given up.
 */
function originOf(
  { inputs }: Work,
  { certificate: bought, outcome }: Publication,
  { certificate }: Published,
): Pick<Recording, 'operation' | 'givesUp'> {
  if (outcome === 'republished') return {};
  const isOther = !isSameCertificate(bought, certificate);
  const operation = inputs.attempt?.attempt.operation;
  return { ...(operation ? { operation } : {}), ...(isOther ? { givesUp: bought } : {}) };
}

function resultOf(
  { deps, inputs }: Work,
  { certificate: bought, outcome }: Publication,
  { certificate, leaf, stored }: Published,
): StatusChange {
  const { spec, status, metadata } = inputs.certificate;
  const now = deps.clock.now();
  const isNew = outcome !== 'republished' || !isSameCertificate(certificate, status);
  const { attempt: open } = inputs;
  // A result names only the attempt that bought what it publishes.
  const isOfAttempt = open && outcome !== 'republished' && isSameCertificate(bought, certificate);
  const { account, authorityId, certificateId } = certificate;
  const known = {
    account,
    authorityId,
    certificateId,
    certificateStatus: (isNew ? undefined : status?.certificateStatus) ?? 'good',
    notBefore: rfc3339(leaf.notBefore),
    notAfter: rfc3339(leaf.notAfter),
    ...(isOfAttempt ? { attemptId: open.id } : {}),
  } satisfies CertificateStatus;
  // It says nothing of a certificate that came of another attempt, as one does that a recovery found and that is older than its own.
  const { attemptTime: before, ...others } = status ?? {};
  const isYounger = isOfAttempt && certificateId > open.attempt.afterId;
  const attemptTime = isYounger ? open.attempt.startTime : isNew ? undefined : before;
  const after = { ...others, ...known, ...(attemptTime === undefined ? {} : { attemptTime }) };
  const renewal = dueAt({ certificate: { metadata, spec, status: after }, now });
  // The result would seal a promise to revoke whatever somebody else has written there (`sealed`).
  const replaced = inputs.sealed === false ? undefined : status;
  return {
    ...known,
    attemptTime: attemptTime ?? null,
    ...(isNew ? afterReplacement(spec, replaced, certificate, { now, attempt: open?.attempt }) : {}),
    serialNumber: leaf.serialNumber,
    renewalTime: renewal === undefined ? null : rfc3339(renewal),
    revision: (status?.revision ?? 0) + (isNew ? 1 : 0),
    specHash: inputs.specHash,
    ...recordedSecret(inputs.certificate, stored.metadata),
    ...NO_FAILURE,
    refusedFetches: null,
    unclaimedCertificates: null,
  };
}

/**
 * Why a certificate could not be fetched: a `CertificateGone` once `cert/details` confirms that it does not exist, so that
 * one wrong answer does not lead to a purchase; else the error as it is.
 */
async function whyUnfetched(work: Work, wanted: CertificateRef, error: unknown): Promise<unknown> {
  if (!isNotFound(error)) return error;
  try {
    const { account } = work.issuer;
    await account.client.getCertificateDetails(idAt(account, wanted), callOptions(work));
    return error;
  } catch (second) {
    return isNotFound(second) ? new CertificateGone({ cause: error }) : error;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof TinyCertError && error.kind === 'not-found';
}
