import type { KubeClient } from '../../kube/client.ts';
import { isConflict } from '../../kube/errors.ts';
import { type KubeObject, type ResourceType, keyOf, parseKey } from '../../kube/objects.ts';
import { type CrdsFit, rethrowRefusal } from './outdated-crds.ts';

/**
 * Writes findings about the spec of an issuer or account into its status, in one strict merge patch. After a conflict, for
 * example over a finalizer or someone else's field of status, writes once more if the spec is still the examined one;
 * otherwise throws the conflict. Throws `CrdsOutdated` or `StatusRefused`.
 */
export async function patchFindings<R extends KubeObject>(
  { kube, crds }: { kube: Pick<KubeClient, 'get' | 'mergePatch'>; crds: CrdsFit },
  type: ResourceType<R>,
  resource: R,
  status: object,
  signal: AbortSignal,
): Promise<R> {
  const { metadata } = resource;
  const options = { subresource: 'status', fieldValidation: 'Strict', signal } as const;
  const ref = parseKey(keyOf(resource));
  const write = (resourceVersion: string | undefined): Promise<R> =>
    kube
      .mergePatch(type, ref, { metadata: { resourceVersion }, status }, options)
      .catch((error: unknown) => rethrowRefusal(crds, error));
  try {
    return await write(metadata.resourceVersion);
  } catch (error) {
    if (!isConflict(error)) throw error;
    const { metadata: now } = await kube.get(type, ref, { signal });
    if (now.uid !== metadata.uid || now.generation !== metadata.generation) throw error;
    return write(now.resourceVersion);
  }
}
