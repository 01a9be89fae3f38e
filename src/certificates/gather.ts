import { effectiveNames, specHash } from '../api/effective.ts';
import type { TinyCertCertificate } from '../api/kinds.ts';
import { isOpen } from '../issuance/attempt.ts';
import { conditionOf } from '../issuance/conditions.ts';
import { heldCertificate } from '../issuance/inspect.ts';
import { issuerKey } from '../issuance/issuer-directory.ts';
import { hasMetadata, isOwnSecret, secretMetadata } from '../issuance/outputs.ts';
import { isSealed } from '../issuance/seal.ts';
import { hasWantedOwners } from '../issuance/secret-owner.ts';
import { quietAfter } from '../issuance/timing.ts';
import { keyOf, refKey, type Secret, secrets } from '../kube/objects.ts';
import type { Deps } from './deps.ts';
import { elderOf, isInherited } from './ownership.ts';
import type { AttemptKnowledge, Inputs, SecretView } from './inputs.ts';
import { turnOf } from './turn.ts';

/** Fetches once what the decision needs. Reads the Secret from the API server only if it is not known to be unchanged. */
export async function gather(
  deps: Deps,
  certificate: TinyCertCertificate,
  signal: AbortSignal,
): Promise<Inputs> {
  const { spec, metadata } = certificate;
  const key = issuerKey(spec.issuerRef, metadata.namespace);
  const issuer = deps.directory.get(key);
  const elder = elderOf(deps, certificate);
  return {
    certificate,
    names: effectiveNames(spec),
    specHash: specHash(spec),
    crdsFit: deps.crds.fit,
    issuerKey: key,
    issuer,
    issuerExists: issuer !== undefined || deps.issuerExists(key),
    elder,
    // What belongs to another resource is none of this one's business.
    secret: elder === undefined ? await lookAtSecret(deps, certificate, signal) : { state: 'absent' },
    sealed: issuer?.ready
      ? isSealed(issuer.issuer.account, metadata.uid ?? '', certificate.status ?? {})
      : undefined,
    observed: deps.observations.of(certificate),
    attempt: knowledgeOf(deps, certificate),
    turn: turnOf(issuer, keyOf(certificate)),
    now: deps.clock.now(),
    monotonic: deps.clock.monotonic(),
  };
}

/**
 * The Secret of a certificate: read live, unless the watched one is the one in status and was looked at for this very
 * spec, which says what its annotations are.
 */
export async function lookAtSecret(
  deps: Deps,
  certificate: TinyCertCertificate,
  signal: AbortSignal,
): Promise<SecretView> {
  const ref = secretRef(certificate);
  const { secretUID, secretResourceVersion, conditions } = certificate.status ?? {};
  const isUnchanged = ({ metadata }: Pick<Secret, 'metadata'>): boolean =>
    metadata.uid === secretUID && metadata.resourceVersion === secretResourceVersion;
  const watched = deps.writtenSecrets.newest(refKey(ref), deps.secrets.get(refKey(ref)));
  const isLookedAt = conditionOf(conditions, 'Ready')?.observedGeneration === certificate.metadata.generation;
  const isCurrent = (at: Secret['metadata']): boolean => isLookedAt && hasWantedOwners(certificate, at);
  if (watched && isUnchanged(watched) && isCurrent(watched.metadata))
    return { state: 'unchanged', metadata: watched.metadata };
  const view = await readSecret(deps, certificate, signal);
  if (view.state !== 'changed' || !isUnchanged(view) || !view.hasMetadata) return view;
  return { state: 'unchanged', metadata: view.metadata };
}

/** The Secret of a certificate as it is, whatever status says of it. */
export async function readSecret(
  deps: Deps,
  certificate: TinyCertCertificate,
  signal: AbortSignal,
): Promise<SecretView> {
  const secret = await deps.kube.find(secrets, secretRef(certificate), { signal });
  return secret ? viewOf(deps, certificate, secret) : { state: 'absent' };
}

/** Which Secret a certificate is written to. */
export function secretRef({ metadata, spec }: TinyCertCertificate): { namespace: string; name: string } {
  return { namespace: metadata.namespace ?? '', name: spec.secretName };
}

function viewOf(deps: Deps, certificate: TinyCertCertificate, secret: Secret): SecretView {
  const { status } = certificate;
  const { name } = secret.metadata;
  const held = heldCertificate(secret);
  if (!isOwnSecret(certificate, secret, held?.leaf.serialNumber) && !isInherited(deps, certificate, secret)) {
    return {
      state: 'foreign',
      reason: 'SecretNotOwned',
      message: `The Secret ${name} exists and was not made for this certificate: choose another secretName, or delete the Secret.`,
    };
  }
  if (secret.immutable) {
    return {
      state: 'foreign',
      reason: 'SecretImmutable',
      message: `The Secret ${name} is immutable and cannot be renewed: choose another secretName, or delete the Secret.`,
    };
  }
  const wanted = secretMetadata(certificate, effectiveNames(certificate.spec), status?.certificateId ?? 0);
  return {
    state: 'changed',
    metadata: secret.metadata,
    held,
    hasMetadata: hasMetadata(secret, wanted) && hasWantedOwners(certificate, secret.metadata),
  };
}

function knowledgeOf(deps: Deps, { status }: TinyCertCertificate): AttemptKnowledge | undefined {
  const attempt = status?.attempt;
  if (!attempt || !isOpen(status)) return undefined;
  const seenAt = deps.attempts.seen(attempt.id, deps.clock.monotonic());
  const note = deps.attempts.get(attempt.id);
  return {
    quietAt: seenAt + quietAfter(deps.timing),
    unsent: note?.unsent ?? false,
    isFruitless: note?.isFruitless,
    certificateId: note?.certificateId,
  };
}
