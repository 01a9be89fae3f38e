import type { KubeClient } from '../../kube/client.ts';
import { isConflict } from '../../kube/errors.ts';
import { type KubeObject, type ResourceType, keyOf, parseKey } from '../../kube/objects.ts';
import type { Warn } from './events.ts';
import { type CrdsFit, StatusRefused, rethrowRefusal } from './outdated-crds.ts';

/**
 * Writes findings about the spec of an issuer or account into its status, in one strict merge patch. After a conflict, for
 * example over a finalizer or someone else's field of status, writes once more if the spec is still the examined one;
 * otherwise throws the conflict. Throws `CrdsOutdated`, or `StatusRefused` after reporting it by an event.
 */
export async function patchFindings<R extends KubeObject>(
  { kube, crds, warn }: { kube: Pick<KubeClient, 'get' | 'mergePatch'>; crds: CrdsFit; warn: Warn },
  type: ResourceType<R>,
  resource: R,
  status: object,
  signal: AbortSignal,
): Promise<R> {
  const { metadata } = resource;
  const options = { subresource: 'status', fieldValidation: 'Strict', signal } as const;
  const ref = parseKey(keyOf(resource));
  const write = async (resourceVersion: string | undefined): Promise<R> => {
    try {
      return await kube
        .mergePatch(type, ref, { metadata: { resourceVersion }, status }, options)
        .catch((error: unknown) => rethrowRefusal(crds, error));
    } catch (error) {
      if (error instanceof StatusRefused) warn(resource, error.code, error.message);
      throw error;
    }
  };
  try {
    return await write(metadata.resourceVersion);
  } catch (error) {
    if (!isConflict(error)) throw error;
    const { metadata: now } = await kube.get(type, ref, { signal });
    if (now.uid !== metadata.uid || now.generation !== metadata.generation) throw error;
    return write(now.resourceVersion);
  }
}
