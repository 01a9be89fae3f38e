import { certificates, type TinyCertCertificate } from '../../api/kinds.ts';
import { REVOCATION_FINALIZER } from '../../api/names.ts';
import { isNotFound } from '../../kube/errors.ts';
import { keyOf, parseKey } from '../../kube/objects.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { Deps } from '../context/deps.ts';

/** Whether the resource waits, when it is deleted, for what was promised. */
export function hasFinalizer({ metadata }: Pick<TinyCertCertificate, 'metadata'>): boolean {
  return metadata.finalizers?.includes(REVOCATION_FINALIZER) ?? false;
}

/** Whether the resource must not vanish by itself: only where a hold or revocation is asked for, so that the rest pay no write. */
export function wantsFinalizer({ spec, status }: Pick<TinyCertCertificate, 'spec' | 'status'>): boolean {
  const { onDelete = 'None', onReplace = 'None' } = spec.revocation ?? {};
  return onDelete !== 'None' || onReplace !== 'None' || (status?.pendingRevocations?.length ?? 0) > 0;
}

/** Puts the finalizer on or takes it off, before anything is bought. Returns the resource as it is then. */
export async function keepFinalizer(
  deps: Deps,
  certificate: TinyCertCertificate,
  signal: AbortSignal,
): Promise<TinyCertCertificate> {
  const isWanted = wantsFinalizer(certificate);
  if (isWanted === hasFinalizer(certificate) || !(await deps.statuses.isWritable(certificate)))
    return certificate;
  const answer = await writeFinalizers(deps, certificate, isWanted, signal);
  deps.writtenCertificates.note(keyOf(certificate), certificate.metadata.resourceVersion, answer);
  failpoint('finalizer');
  return { ...certificate, metadata: answer.metadata };
}

/** Lets a deleted resource go. Rejects with a conflict if it has changed since it was looked at. */
export async function vanish(
  deps: Deps,
  certificate: TinyCertCertificate,
  signal: AbortSignal,
): Promise<void> {
  failpoint('vanish');
  try {
    await writeFinalizers(deps, certificate, false, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function writeFinalizers(
  deps: Deps,
  certificate: TinyCertCertificate,
  isWanted: boolean,
  signal: AbortSignal,
): Promise<TinyCertCertificate> {
  const { resourceVersion, finalizers = [] } = certificate.metadata;
  const others = finalizers.filter((name) => name !== REVOCATION_FINALIZER);
  const patch = {
    metadata: { resourceVersion, finalizers: isWanted ? [...others, REVOCATION_FINALIZER] : others },
  };
  return deps.kube.mergePatch(certificates, parseKey(keyOf(certificate)), patch, { signal });
}
