import type { KubeClient } from '../../kube/client.ts';
import { isConflict } from '../../kube/errors.ts';
import { type KubeObject, type ResourceType, keyOf, parseKey } from '../../kube/objects.ts';
import type { Warn } from './events.ts';
import { type CrdsFit, StatusRefused, rethrowRefusal } from './outdated-crds.ts';

/**
 * Writes what was found of the spec of an issuer or account into its status, in one strict merge-patch. After a conflict,
 * with a finalizer or with what others keep in status, it is written all the same as long as the spec is the one that was
 * looked at. Throws the conflict otherwise, and `StatusRefused`, after an event that says so.
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
  const at = (resourceVersion: string | undefined): object => ({ metadata: { resourceVersion }, status });
  const write = (resourceVersion: string | undefined): Promise<R> =>
    kube
      .mergePatch(type, ref, at(resourceVersion), options)
      .catch((error: unknown) => rethrowRefusal(crds, error));
  try {
    return await write(metadata.resourceVersion);
  } catch (error) {
    if (error instanceof StatusRefused) warn(resource, error.code, error.message);
    if (!isConflict(error)) throw error;
    const { metadata: now } = await kube.get(type, ref, { signal });
    if (now.uid !== metadata.uid || now.generation !== metadata.generation) throw error;
    return write(now.resourceVersion);
  }
}
