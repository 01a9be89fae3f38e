import type { KubeObject, Secret } from '../../kube/objects.ts';

/**
 * What status records of a Secret that was written or checked for the spec of this resource: as long as both stay as they are, the
 * Secret is not read. Whoever has a Secret waits for none.
 */
export function recordedSecret(
  { metadata: { generation } }: Pick<KubeObject, 'metadata'>,
  { uid, resourceVersion }: Secret['metadata'],
): RecordedSecret {
  return {
    ...(uid === undefined ? {} : { secretUID: uid }),
    ...(resourceVersion === undefined ? {} : { secretResourceVersion: resourceVersion }),
    ...(generation === undefined ? {} : { secretGeneration: generation }),
    awaitedSecret: null,
  };
}

/** The fields of status about the Secret that a resource has. */
export interface RecordedSecret {
  secretUID?: string;
  secretResourceVersion?: string;
  secretGeneration?: number;
  awaitedSecret: null;
}
