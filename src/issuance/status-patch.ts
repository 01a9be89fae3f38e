import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import { keyOf, type KubeObject, parseKey, type ResourceType } from '../kube/objects.ts';
import { asOutdated } from './outdated-crds.ts';

/**
 * Writes what was found of the spec of an issuer or account into its status, in one strict merge-patch. After a conflict,
 * with a finalizer or with what others keep in status, it is written all the same as long as the spec is the one that was
 * looked at. Throws the conflict otherwise.
 */
export async function patchFindings<R extends KubeObject>(
  kube: Pick<KubeClient, 'get' | 'mergePatch'>,
  type: ResourceType<R>,
  resource: R,
  status: object,
  signal: AbortSignal,
): Promise<R> {
  const { metadata } = resource;
  const options = { subresource: 'status', fieldValidation: 'Strict', signal } as const;
  const ref = parseKey(keyOf(resource));
  const at = (resourceVersion: string | undefined): object => ({ metadata: { resourceVersion }, status });
  try {
    return await kube.mergePatch(type, ref, at(metadata.resourceVersion), options).catch(asOutdated);
  } catch (error) {
    if (!isConflict(error)) throw error;
    const { metadata: now } = await kube.get(type, ref, { signal });
    if (now.uid !== metadata.uid || now.generation !== metadata.generation) throw error;
    return kube.mergePatch(type, ref, at(now.resourceVersion), options).catch(asOutdated);
  }
}
