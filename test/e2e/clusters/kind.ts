import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditPolicy } from '../../../tools/control-plane/flags.ts';
import { attempt, run } from '../../../tools/node/run.ts';
import type { Cluster } from './cluster.ts';

const CONFIG = join(import.meta.dirname, '..', 'kind.yaml');
const CREATE_LIMIT_MS = 10 * 60_000;

/** Whether a Docker engine answers. */
export async function hasDocker(): Promise<boolean> {
  return attempt('docker', ['info'], { timeoutMs: 20_000 }).then(
    ({ code }) => code === 0,
    () => false,
  );
}

/** A cluster by kind: containers of a Docker engine. `stop` removes them. */
export async function startKindCluster(
  { folder, name }: { folder: string; name: string },
  progress: (line: string) => void,
): Promise<Cluster & { stop(): Promise<void> }> {
  const kubeconfig = join(folder, 'kubeconfig');
  const node = `${name}-control-plane`;
  const stop = async (): Promise<void> => {
    await run('kind', ['delete', 'cluster', '--name', name, '--kubeconfig', kubeconfig]);
  };
  progress('Creating the cluster with kind.');
  await writeFile(join(folder, 'audit-policy.json'), auditPolicy());
  try {
    await run(
      'kind',
      ['create', 'cluster', '--name', name, '--config', CONFIG, '--kubeconfig', kubeconfig, '--wait', '120s'],
      // The configuration names the audit policy by a path relative to this folder.
      { timeoutMs: CREATE_LIMIT_MS, cwd: folder },
    );
    const inspect = async (format: string, what: readonly string[]): Promise<string> =>
      (await run('docker', [...what, '--format', format])).trim();
    const network = ['network', 'inspect', 'kind'];
    const addresses = await inspect('{{range .IPAM.Config}}{{.Gateway}} {{end}}', network);
    return {
      kind: 'kind',
      kubeconfig,
      nodeAddress: await inspect('{{.NetworkSettings.Networks.kind.IPAddress}}', ['inspect', node]),
      hostAddress: addresses.split(' ').find((each) => /^[0-9.]+$/u.test(each)) ?? '',
      versions: {
        kubernetes: (await run('docker', ['exec', node, 'kubelet', '--version'])).trim(),
        containerd: (await run('docker', ['exec', node, 'containerd', '--version'])).trim(),
        kind: (await run('kind', ['version'])).trim(),
      },
      onNode: (program, args) => attempt('docker', ['exec', node, program, ...args]),
      ctr: (args) => run('docker', ['exec', node, 'ctr', '--namespace', 'k8s.io', ...args]),
      async load(archive) {
        await run('kind', ['load', 'image-archive', archive, '--name', name]);
      },
      auditLog: () => run('docker', ['exec', node, 'cat', '/var/log/kubernetes/audit.log']),
      died: new Promise(() => {}),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
