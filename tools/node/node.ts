import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit, startDaemon, type Daemon } from '../control-plane/daemon.ts';
import { ControlPlaneError, startControlPlane, type ControlPlane } from '../control-plane/index.ts';
import type { NodeBinaries } from './binaries.ts';
import {
  cniConfig,
  containerdConfig,
  controllerManagerArgs,
  kubeletArgs,
  kubeletConfig,
  kubeProxyConfig,
  pathsOf,
  schedulerArgs,
  type NodeLayout,
} from './configs.ts';
import { attempt, run } from './run.ts';

export interface NodeOptions {
  layout: NodeLayout;
  binaries: NodeBinaries;
  kubectl: string;
  /** OCI archives to import before Pods start; the pause image is one of them. */
  archives: readonly string[];
  progress: (line: string) => void;
}

/** A running cluster of one node. It ends with its namespaces. */
export interface RunningNode {
  controlPlane: ControlPlane;
  /** Resolves with the reason if one of its programs ends by itself. */
  died: Promise<ControlPlaneError>;
  /** Runs containerd's own client and returns its output. */
  ctr: (args: readonly string[]) => Promise<string>;
}

const CONTAINERD_LIMIT_MS = 60_000;
const READY_LIMIT = '120s';

/** Starts the control plane and a node beside it, and waits until the node is ready for Pods. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { layout, binaries, progress } = options;
  const paths = pathsOf(layout);
  const { died, start } = watchedDaemons(layout.folder);
  for (const folder of [paths.kubelet, paths.podLogs, paths.containerdRoot, dirname(paths.cniConfig)]) {
    await mkdir(folder, { recursive: true });
  }
  await writeFile(paths.resolvConf, '');
  await writeFile(paths.cniConfig, cniConfig(layout));
  await writeFile(
    paths.containerdConfig,
    containerdConfig(layout, binaries['containerd-shim-runc-v2'], 'runc'),
  );
  const ctr = (args: readonly string[]): Promise<string> =>
    run(binaries.ctr, ['--address', paths.containerdSocket, '--namespace', 'k8s.io', ...args]);

  progress('Starting etcd, kube-apiserver and containerd.');
  const containerd = async (): Promise<void> => {
    await start(binaries.containerd, ['--config', paths.containerdConfig]);
    await untilAnswers(() => attempt(binaries.ctr, ['--address', paths.containerdSocket, 'version']));
    for (const archive of options.archives) await ctr(['images', 'import', archive]);
  };
  const [controlPlane] = await Promise.race([
    Promise.all([startControlPlane({ auditLog: true, nodeAddress: layout.address, progress }), containerd()]),
    rejection(died),
  ]);

  progress('Starting the kubelet, kube-proxy, the controller manager and the scheduler.');
  const identities = {
    kubelet: { name: `system:node:${layout.name}`, groups: ['system:nodes'] },
    proxy: { name: 'system:kube-proxy' },
    manager: { name: 'system:kube-controller-manager' },
    scheduler: { name: 'system:kube-scheduler' },
  };
  const { dataDir } = controlPlane;
  const serving = await controlPlane.servingFiles('kubelet', [layout.address]);
  await writeFile(paths.kubeletConfig, kubeletConfig(layout, join(dataDir, 'ca.crt'), serving));
  await writeFile(
    paths.kubeProxyConfig,
    kubeProxyConfig(layout, await controlPlane.kubeconfigFor(identities.proxy)),
  );
  await start(binaries.kubelet, kubeletArgs(layout, await controlPlane.kubeconfigFor(identities.kubelet)));
  await start(binaries['kube-proxy'], [`--config=${paths.kubeProxyConfig}`]);
  await start(
    binaries['kube-controller-manager'],
    controllerManagerArgs(dataDir, await controlPlane.kubeconfigFor(identities.manager)),
  );
  await start(
    binaries['kube-scheduler'],
    schedulerArgs(await controlPlane.kubeconfigFor(identities.scheduler)),
  );

  const kubectl = (...args: string[]): Promise<string> =>
    run(
      options.kubectl,
      [`--kubeconfig=${controlPlane.kubeconfig}`, 'wait', `--timeout=${READY_LIMIT}`, ...args],
      {
        timeoutMs: 150_000,
      },
    );
  await Promise.race([
    (async () => {
      await kubectl('--for=create', `node/${layout.name}`);
      await kubectl('--for=condition=Ready', `node/${layout.name}`);
      await kubectl('--for=create', 'serviceaccount/default');
    })(),
    rejection(died),
  ]);
  return { controlPlane, died, ctr };
}

/** Starts programs whose end is an error. */
function watchedDaemons(folder: string) {
  let announce: (error: ControlPlaneError) => void = () => {};
  const died = new Promise<ControlPlaneError>((resolve) => {
    announce = resolve;
  });
  const start = async (binary: string, args: readonly string[]): Promise<Daemon> => {
    const name = binary.slice(binary.lastIndexOf('/') + 1);
    const daemon = await startDaemon(binary, args, join(folder, `${name}.log`));
    void daemon.exited.then(async (exit) => {
      const message = `${name} ended. ${describeExit(exit)}`;
      announce(new ControlPlaneError('ProcessDied', message, await daemon.tail()));
    });
    return daemon;
  };
  return { died, start };
}

async function rejection(reason: Promise<ControlPlaneError>): Promise<never> {
  throw await reason;
}

async function untilAnswers(ask: () => Promise<{ code: number; stderr: string }>): Promise<void> {
  const deadline = performance.now() + CONTAINERD_LIMIT_MS;
  for (;;) {
    const { code, stderr } = await ask();
    if (code === 0) return;
    if (performance.now() > deadline) {
      throw new ControlPlaneError('StartFailed', 'containerd does not answer.', [stderr.trim()]);
    }
    await sleep(100);
  }
}
