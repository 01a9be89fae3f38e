import { certificates, type TinyCertCertificate } from '../../api/kinds.ts';
import { REVOCATION_FINALIZER } from '../../api/names.ts';
import { isNotFound } from '../../kube/errors.ts';
import { keyOf, parseKey } from '../../kube/objects.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { Deps } from '../context/deps.ts';

/** Whether a deleted resource waits for its holds and revocations. */
export function hasFinalizer({ metadata }: Pick<TinyCertCertificate, 'metadata'>): boolean {
  return metadata.finalizers?.includes(REVOCATION_FINALIZER) ?? false;
}

/** Whether the resource needs the finalizer: only where a hold or revocation may become due, so that the others cost no extra write. */
export function needsFinalizer({ spec, status }: Pick<TinyCertCertificate, 'spec' | 'status'>): boolean {
  const { onDelete = 'None', onReplace = 'None' } = spec.revocation ?? {};
  return (
    onDelete !== 'None' ||
    onReplace !== 'None' ||
    [status, ...(status?.formerAccounts ?? [])].some((part) => (part?.pendingRevocations?.length ?? 0) > 0)
  );
}

/** Adds or removes the finalizer, before anything is bought. Resolves with the resource as it is then. */
export async function keepFinalizer(
  deps: Deps,
  certificate: TinyCertCertificate,
  signal: AbortSignal,
): Promise<TinyCertCertificate> {
  const isNeeded = needsFinalizer(certificate);
  if (isNeeded === hasFinalizer(certificate) || !(await deps.statuses.isWritable(certificate)))
    return certificate;
  const answer = await writeFinalizers(deps, certificate, isNeeded, signal);
  deps.writtenCertificates.note(keyOf(certificate), certificate.metadata.resourceVersion, answer);
  failpoint('finalizer');
  return { ...certificate, metadata: answer.metadata };
}

/** Removes the finalizer of a deleted resource, which lets it go. Rejects with a conflict if it changed since it was read. */
export async function removeFinalizer(
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
  isNeeded: boolean,
  signal: AbortSignal,
): Promise<TinyCertCertificate> {
  const { resourceVersion, finalizers = [] } = certificate.metadata;
  const others = finalizers.filter((name) => name !== REVOCATION_FINALIZER);
  const patch = {
    metadata: { resourceVersion, finalizers: isNeeded ? [...others, REVOCATION_FINALIZER] : others },
  };
  return deps.kube.mergePatch(certificates, parseKey(keyOf(certificate)), patch, { signal });
}
