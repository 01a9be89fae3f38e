import { join } from 'node:path';
import type { BinaryOptions } from '../control-plane/binaries.ts';
import { buildBeside, kubernetesTarget, linkerFlags } from '../control-plane/build.ts';
import { isExecutable } from '../control-plane/executable.ts';
import { cacheRoot } from '../control-plane/folders.ts';
import type { GoTarget } from '../control-plane/go-build.ts';
import { withLock } from '../control-plane/lock.ts';
import { KUBERNETES_VERSION, platform } from '../control-plane/versions.ts';
import { CONTAINERD_VERSION, PAUSE_VERSION, TRAEFIK_VERSION } from './versions.ts';

/** The programs of a node, by name. */
export type NodeBinaries = Readonly<Record<NodeBinary, string>>;

type NodeBinary = (typeof NAMES)[number];

const KUBERNETES = ['kube-controller-manager', 'kubelet', 'kube-scheduler', 'kube-proxy'] as const;
const CONTAINERD = ['containerd', 'containerd-shim-runc-v2', 'ctr'] as const;
const NAMES = [...KUBERNETES, ...CONTAINERD, 'pause'] as const;

const MODULES = join(import.meta.dirname, 'modules');

const TRAEFIK: GoTarget = {
  name: 'traefik',
  version: TRAEFIK_VERSION,
  module: join(MODULES, 'traefik'),
  package: 'github.com/traefik/traefik/v3/cmd/traefik',
  ldflags: linkerFlags('github.com/traefik/traefik/v3', { 'pkg/version.Version': TRAEFIK_VERSION.slice(1) }),
};

const PAUSE: GoTarget = {
  name: 'pause',
  version: PAUSE_VERSION,
  module: join(MODULES, 'pause'),
  package: '.',
  ldflags: '-s -w',
};

function containerdTarget(name: string): GoTarget {
  return {
    name,
    version: CONTAINERD_VERSION,
    module: join(MODULES, 'containerd'),
    package: `github.com/containerd/containerd/v2/cmd/${name}`,
    ldflags: linkerFlags('github.com/containerd/containerd/v2', { 'version.Version': CONTAINERD_VERSION }),
    // Snapshotters that a node of this kind never uses, and that need headers of C libraries.
    tags: ['no_btrfs', 'no_devmapper', 'no_zfs'],
  };
}

/**
 * Finds a node's programs in the cache folder, or builds them there from their pinned Go modules, one after the other. @throws
 * ControlPlaneError `BuildFailed` with what to do in `details`.
 */
export async function ensureNodeBinaries(options: BinaryOptions = {}): Promise<NodeBinaries> {
  const folder = cacheFolder(
    `node-kubernetes-${KUBERNETES_VERSION}-containerd-${CONTAINERD_VERSION}`,
    options,
  );
  const targets = [...KUBERNETES.map(kubernetesTarget), ...CONTAINERD.map(containerdTarget), PAUSE];
  await ensure(targets, folder, options);
  return Object.fromEntries(NAMES.map((name) => [name, join(folder, name)])) as NodeBinaries;
}

/** The same for Traefik, the ingress controller of the end-to-end tests. */
export async function ensureTraefik(options: BinaryOptions = {}): Promise<string> {
  const folder = cacheFolder(`traefik-${TRAEFIK_VERSION}`, options);
  await ensure([TRAEFIK], folder, options);
  return join(folder, 'traefik');
}

function cacheFolder(name: string, options: BinaryOptions): string {
  return join(cacheRoot(options.env ?? process.env), `${name}-${platform()}`);
}

async function ensure(targets: readonly GoTarget[], folder: string, options: BinaryOptions): Promise<void> {
  if ((await missingOf(targets, folder)).length === 0) return;
  await withLock(cacheRoot(options.env ?? process.env), 'node', options, async () => {
    // Another process may have built some while this one waited.
    for (const target of await missingOf(targets, folder)) await buildBeside(target, folder, options);
  });
}

async function missingOf(targets: readonly GoTarget[], folder: string): Promise<GoTarget[]> {
  const there = await Promise.all(targets.map(({ name }) => isExecutable(join(folder, name))));
  return targets.filter((_, index) => !there[index]);
}
