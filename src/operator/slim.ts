import type { KubeObject } from '../kube/objects.ts';

/** What the cache keeps of a Secret: enough to tell whether it is the one that was written. */
export function slimSecret({ metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}
