import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  ACTIONLINT_VERSION,
  ENVTEST_VERSION,
  ETCD_VERSION,
  HELM_VERSION,
  KUBERNETES_VERSION,
  platform,
} from './versions.ts';

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The project's cache folder. By the XDG specification a relative XDG_CACHE_HOME is ignored. */
export function projectCache(env: Environment): string {
  const xdg = env['XDG_CACHE_HOME'];
  const base = xdg?.startsWith('/') === true ? xdg : join(env['HOME'] ?? homedir(), '.cache');
  return join(base, 'tinycert-operator');
}

/** The folder with every cached set of binaries. */
export function cacheRoot(env: Environment): string {
  return join(projectCache(env), 'control-plane');
}

/** The folder of binaries built from the pinned modules. */
export function builtFolder(root: string, target: string = platform()): string {
  return join(root, `kubernetes-${KUBERNETES_VERSION}-etcd-${ETCD_VERSION}-${target}`);
}

/** The folder of the unpacked envtest archive. */
export function downloadedFolder(root: string, target: string = platform()): string {
  return join(root, `envtest-${ENVTEST_VERSION}-${target}`);
}

/** The folder of Helm, which is built from its pinned module. */
export function helmFolder(root: string, target: string = platform()): string {
  return join(root, `helm-${HELM_VERSION}-${target}`);
}

/** The folder of actionlint, which is built from its pinned module. */
export function actionlintFolder(root: string, target: string = platform()): string {
  return join(root, `actionlint-${ACTIONLINT_VERSION}-${target}`);
}
