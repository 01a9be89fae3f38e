import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type DevServer, startDevServer } from '../../../tools/dev-server/index.ts';
import type { Cluster } from '../clusters/cluster.ts';
import { Kubectl } from './kubectl.ts';

/** The programs and archives that a run needs, by path. */
export interface Supplies {
  kubectl: string;
  helm: string;
  pauseArchive: string;
  traefikArchive: string;
  operatorArchive: string;
  /** The chart that the upgrade starts from. */
  previousChart?: string;
}

/** What the tests share: a cluster, a CA that the operator reaches, and something to serve. */
export interface World {
  cluster: Cluster;
  supplies: Supplies;
  kubectl: Kubectl;
  /** Speaks the TinyCert API, as a process beside the cluster. */
  ca: DevServer;
  /** The port, at `cluster.hostAddress`, of a server that answers GREETING. */
  backendPort: number;
  /** A folder for Helm's and kubectl's own files. */
  home: string;
  say: (line: string) => void;
}

/** What the server behind the ingress controller answers. */
export const GREETING = 'This is the shop.';

/** Starts what is beside the cluster. */
export async function createWorld(
  cluster: Cluster,
  supplies: Supplies,
  folder: string,
  say: (line: string) => void,
): Promise<World & { close(): Promise<void> }> {
  const home = join(folder, 'home');
  await mkdir(home);
  const ca = await startDevServer({ host: cluster.hostAddress, keyPool: 4 });
  const backend: Server = createServer((_, response) => response.end(GREETING));
  backend.listen(0, cluster.hostAddress);
  await once(backend, 'listening');
  return {
    cluster,
    supplies,
    kubectl: new Kubectl(supplies.kubectl, cluster.kubeconfig, home),
    ca,
    backendPort: (backend.address() as AddressInfo).port,
    home,
    say,
    async close() {
      backend.closeAllConnections();
      backend.close();
      await ca.stop();
    },
  };
}
