import { ensureBinaries, type Binaries } from './binaries.ts';
import { Cluster } from './cluster.ts';
import type { ControlPlane, ControlPlaneOptions } from './types.ts';

/**
 * Finds or makes the binaries, then starts etcd and kube-apiserver on free loopback ports with RBAC on. @throws
 * ControlPlaneError with details for a person: what is missing, or the end of a log.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { progress, signal } = options;
  const binaries: Binaries = await ensureBinaries({
    ...(progress === undefined ? {} : { progress }),
    ...(signal === undefined ? {} : { signal }),
  });
  return Cluster.start(binaries, options);
}
