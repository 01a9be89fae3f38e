import { homedir } from 'node:os';
import { join } from 'node:path';
import { ENVTEST_VERSION, ETCD_VERSION, KUBERNETES_VERSION, platform } from './versions.ts';

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The folder that holds every cached set of binaries. The XDG rule: a relative XDG_CACHE_HOME is ignored. */
export function cacheRoot(env: Environment): string {
  const xdg = env['XDG_CACHE_HOME'];
  const base = xdg?.startsWith('/') === true ? xdg : join(env['HOME'] ?? homedir(), '.cache');
  return join(base, 'tinycert-operator', 'control-plane');
}

/** Where binaries built from the pinned modules are kept. */
export function builtFolder(root: string, target: string = platform()): string {
  return join(root, `kubernetes-${KUBERNETES_VERSION}-etcd-${ETCD_VERSION}-${target}`);
}

/** Where the unpacked envtest archive is kept. */
export function downloadedFolder(root: string, target: string = platform()): string {
  return join(root, `envtest-${ENVTEST_VERSION}-${target}`);
}
