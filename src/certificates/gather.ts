import { effectiveNames, specHash } from '../api/effective.ts';
import type { TinyCertCertificate } from '../api/kinds.ts';
import { isOpen } from '../issuance/attempt.ts';
import { heldCertificate } from '../issuance/inspect.ts';
import { issuerKey } from '../issuance/issuer-directory.ts';
import { hasMetadata, isOwnSecret, secretMetadata } from '../issuance/outputs.ts';
import { isSealed } from '../issuance/seal.ts';
import { hasWantedOwners } from '../issuance/secret-owner.ts';
import { quietAfter } from '../issuance/timing.ts';
import { refKey, type Secret, secrets } from '../kube/objects.ts';
import { BY_SECRET, type Deps } from './deps.ts';
import type { AttemptKnowledge, Inputs, SecretView } from './inputs.ts';

/** Fetches once what the decision needs. Reads the Secret from the API server only if it is not known to be unchanged. */
export async function gather(
  deps: Deps,
  certificate: TinyCertCertificate,
  signal: AbortSignal,
): Promise<Inputs> {
  const { spec, metadata } = certificate;
  const key = issuerKey(spec.issuerRef, metadata.namespace);
  const issuer = deps.directory.get(key);
  return {
    certificate,
    names: effectiveNames(spec),
    specHash: specHash(spec),
    crdsFit: deps.crds.fit,
    issuerKey: key,
    issuer,
    issuerExists: issuer !== undefined || deps.issuerExists(key),
    elder: elderOf(deps, certificate),
    secret: await lookAtSecret(deps, certificate, signal),
    sealed: issuer?.ready
      ? isSealed(issuer.issuer.account, metadata.uid ?? '', certificate.status ?? {})
      : undefined,
    observed: deps.observations.of(certificate),
    attempt: knowledgeOf(deps, certificate),
    now: deps.clock.now(),
    monotonic: deps.clock.monotonic(),
  };
}

/** The Secret of a certificate, read live. */
export async function lookAtSecret(
  deps: Deps,
  certificate: TinyCertCertificate,
  signal: AbortSignal,
): Promise<SecretView> {
  const ref = secretRef(certificate);
  const { secretUID, secretResourceVersion } = certificate.status ?? {};
  const watched = deps.writtenSecrets.newest(refKey(ref), deps.secrets.get(refKey(ref)));
  if (
    watched !== undefined &&
    watched.metadata.uid === secretUID &&
    watched.metadata.resourceVersion === secretResourceVersion &&
    hasWantedOwners(certificate, watched.metadata)
  ) {
    return { state: 'unchanged', metadata: watched.metadata };
  }
  const secret = await deps.kube.find(secrets, ref, { signal });
  return secret ? viewOf(certificate, secret) : { state: 'absent' };
}

/** Which Secret a certificate is written to. */
export function secretRef({ metadata, spec }: TinyCertCertificate): { namespace: string; name: string } {
  return { namespace: metadata.namespace ?? '', name: spec.secretName };
}

function viewOf(certificate: TinyCertCertificate, secret: Secret): SecretView {
  const { status } = certificate;
  const { name } = secret.metadata;
  if (!isOwnSecret(certificate, secret)) {
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
  const { uid, resourceVersion } = secret.metadata;
  const isWritten = uid === status?.secretUID && resourceVersion === status?.secretResourceVersion;
  if (isWritten && hasWantedOwners(certificate, secret.metadata)) {
    return { state: 'unchanged', metadata: secret.metadata };
  }
  const wanted = secretMetadata(certificate, effectiveNames(certificate.spec), status?.certificateId ?? 0);
  return {
    state: 'changed',
    metadata: secret.metadata,
    held: heldCertificate(secret),
    hasMetadata: hasMetadata(secret, wanted) && hasWantedOwners(certificate, secret.metadata),
  };
}

/** Of several certificates with one `secretName` the oldest owns the Secret; of equal age the first by name. */
function elderOf(deps: Deps, certificate: TinyCertCertificate): string | undefined {
  const age = ({ metadata }: TinyCertCertificate): string => `${metadata.creationTimestamp} ${metadata.name}`;
  let eldest = certificate;
  for (const other of deps.certificates.byIndex(BY_SECRET, refKey(secretRef(certificate)))) {
    if (age(other) < age(eldest)) eldest = other;
  }
  return eldest === certificate || eldest.metadata.uid === certificate.metadata.uid
    ? undefined
    : eldest.metadata.name;
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
