import { randomBytes } from 'node:crypto';
import { mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { auditPolicy } from '../../../tools/control-plane/flags.ts';
import { ControlPlaneError } from '../../../tools/control-plane/index.ts';
import { runAtEnd } from '../../../tools/node/at-end.ts';
import { attempt, run } from '../../../tools/node/run.ts';
import type { Cluster } from './cluster.ts';

const CONFIG = fileURLToPath(new URL('../kind.yaml', import.meta.url));
const CREATE_LIMIT_MS = 10 * 60_000;

/** Whether a Docker engine answers. @throws ControlPlaneError if one does and there is no kind. */
export async function hasDocker(): Promise<boolean> {
  if (!(await succeeds('docker', ['info']))) return false;
  if (await succeeds('kind', ['version'])) return true;
  throw new ControlPlaneError('BinariesMissing', 'Docker answers, but there is no kind in PATH.', [
    'Install it: https://kind.sigs.k8s.io. Or stop Docker, and run as root: then a node is started without it.',
  ]);
}

function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return attempt(program, args, { timeoutMs: 20_000 }).then(
    ({ code }) => code === 0,
    () => false,
  );
}

/** The name and the folder of one run with kind, and what removes its containers and the folder, however this process ends. */
export interface KindPremises {
  name: string;
  folder: string;
  close(): Promise<void>;
}

/** Makes them. */
export async function makeKindPremises(): Promise<KindPremises> {
  const name = `tinycert-e2e-${randomBytes(4).toString('hex')}`;
  const folder = await mkdtemp(join(await realpath(tmpdir()), `${name}-`));
  const script = 'kind delete cluster --name "$1" --kubeconfig "$2/kubeconfig"; rm -rf -- "$2"';
  const atEnd = runAtEnd('/bin/sh', ['-c', script, 'kind-end', name, folder]);
  return {
    name,
    folder,
    async close() {
      await atEnd.run();
    },
  };
}

/** Starts a cluster by kind: a container of the Docker engine. */
export async function startKindCluster(
  { folder, name }: KindPremises,
  progress: (line: string) => void,
): Promise<Cluster> {
  const kubeconfig = join(folder, 'kubeconfig');
  const node = `${name}-control-plane`;
  progress('Creating the cluster with kind.');
  await writeFile(join(folder, 'audit-policy.json'), auditPolicy());
  await run(
    'kind',
    ['create', 'cluster', '--name', name, '--config', CONFIG, '--kubeconfig', kubeconfig, '--wait', '120s'],
    // The configuration names the audit policy by a path relative to this folder.
    { timeoutMs: CREATE_LIMIT_MS, cwd: folder },
  );
  const inspect = async (format: string, what: readonly string[]): Promise<string> =>
    (await run('docker', [...what, '--format', format])).trim();
  const gateways = await inspect('{{range .IPAM.Config}}{{.Gateway}} {{end}}', [
    'network',
    'inspect',
    'kind',
  ]);
  return {
    kind: 'kind',
    kubeconfig,
    nodeAddress: await inspect('{{.NetworkSettings.Networks.kind.IPAddress}}', ['inspect', node]),
    hostAddress: gateways.split(' ').find((each) => /^[0-9.]+$/u.test(each)) ?? '',
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
    // Nothing watches a container of Docker; a test that finds no API server fails by itself.
    died: new Promise(() => {}),
  };
}
