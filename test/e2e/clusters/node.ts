import { readFile } from 'node:fs/promises';
import { ensureNodeBinaries } from '../../../tools/node/binaries.ts';
import { prepareNamespaces } from '../../../tools/node/namespaces.ts';
import { startNode } from '../../../tools/node/node.ts';
import { attempt } from '../../../tools/node/run.ts';
import { CONTAINERD_VERSION } from '../../../tools/node/versions.ts';
import type { Cluster } from './cluster.ts';

/** TEST-NET-1 (RFC 5737). The network namespace has no other network, so the address can be any but loopback. */
const ADDRESS = '192.0.2.9';

/** Starts a node in this process's namespaces, which must be its own. */
export async function startNodeCluster(
  { folder, name }: { folder: string; name: string },
  kubectl: string,
  pauseArchive: string,
  progress: (line: string) => void,
): Promise<Cluster> {
  await prepareNamespaces(folder, ADDRESS);
  const { controlPlane, died, ctr } = await startNode({
    layout: { folder, name: 'e2e', address: ADDRESS, cgroup: `/${name}` },
    binaries: await ensureNodeBinaries({ progress }),
    kubectl,
    archives: [pauseArchive],
    progress,
  });
  return {
    kind: 'node',
    kubeconfig: controlPlane.kubeconfig,
    nodeAddress: ADDRESS,
    hostAddress: ADDRESS,
    versions: { kubernetes: controlPlane.version, containerd: CONTAINERD_VERSION },
    onNode: attempt,
    ctr,
    async load(archive) {
      await ctr(['images', 'import', archive]);
    },
    auditLog: () => readFile(controlPlane.auditLog ?? '', 'utf8'),
    died: Promise.race([died, controlPlane.died]),
  };
}
