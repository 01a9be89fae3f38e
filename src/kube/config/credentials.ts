import { access } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Clock, deadline } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import {
  type ClusterConnection,
  CredentialsError,
  CredentialsTimeout,
  LOAD_ENDS_MS,
  LOAD_TIMEOUT_MS,
  openConnection,
} from './connection.ts';
import { unlessAbortedFor } from '../../lib/within.ts';
import { loadKubeconfig } from './kubeconfig.ts';
import { type ReadOptions, readText } from './read-text.ts';

/** The folder in which the kubelet mounts a pod's ServiceAccount. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface InClusterOptions {
  clock: Clock;
  log?: Logger;
  env?: Readonly<Record<string, string | undefined>>;
  /** Folder with `token`, `ca.crt` and `namespace`. */
  folder?: string;
  /** Ends the wait for the first credentials. */
  signal?: AbortSignal;
}

export interface ConnectOptions extends InClusterOptions {
  /** The value of --kubeconfig. */
  kubeconfig?: string;
  /** Name of a context of the kubeconfig. */
  context?: string;
  /** The user's home folder. */
  home?: string;
  /** Kills a credential plugin that runs, since this process ends. */
  end?: AbortSignal;
}

/**
 * Finds the cluster: by --kubeconfig, else KUBECONFIG (one or several files), the pod's ServiceAccount, ~/.kube/config.
 * Throws a CredentialsError or a KubeconfigError that states what is missing, or the signal's reason.
 */
export async function connect(options: ConnectOptions): Promise<ClusterConnection> {
  const limit = deadline(options.clock, LOAD_TIMEOUT_MS, () => new CredentialsTimeout(), options.signal);
  try {
    const found = find({ ...options, signal: limit.signal });
    return await unlessAbortedFor(options.clock, 2 * LOAD_ENDS_MS, found, limit.signal);
  } finally {
    limit.clear();
  }
}

async function find(options: ConnectOptions): Promise<ClusterConnection> {
  const { env = process.env, home = homedir(), folder = SERVICE_ACCOUNT } = options;
  if (options.kubeconfig !== undefined) return loadKubeconfig([options.kubeconfig], options);
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  if (listed.length > 0) return loadKubeconfig(listed, options);
  if (env['KUBERNETES_SERVICE_HOST'] !== undefined && (await exists(join(folder, 'token'))))
    return inClusterConnection(options);
  const usual = join(home, '.kube', 'config');
  if (await exists(usual)) return loadKubeconfig([usual], options);
  throw new CredentialsError(
    'KUBE_NO_CREDENTIALS',
    'No cluster is configured: give --kubeconfig, set KUBECONFIG, or run in a pod with a ServiceAccount.',
  );
}

/** The connection from inside a pod: address from the environment, token and CA from files that the kubelet renews. */
export async function inClusterConnection(options: InClusterOptions): Promise<ClusterConnection> {
  const {
    clock,
    log,
    env = process.env,
    folder = SERVICE_ACCOUNT,
    signal = new AbortController().signal,
  } = options;
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (host === undefined || host === '')
    throw new CredentialsError('KUBE_NOT_IN_CLUSTER', 'KUBERNETES_SERVICE_HOST is not set: run in a pod.');
  const namespace = await readText(join(folder, 'namespace'), { clock, signal }).catch(() => undefined);
  return openConnection({
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    namespace: namespace?.trim(),
    clock,
    log,
    signal,
    load: async (load) => {
      const reading = { clock, signal: load.signal };
      const [token, ca] = await Promise.all([
        read(join(folder, 'token'), reading),
        read(join(folder, 'ca.crt'), reading),
      ]);
      return { tls: { ca }, authorization: `Bearer ${token.trim()}` };
    },
  });
}

async function read(file: string, reading: ReadOptions): Promise<string> {
  let text: string;
  try {
    text = await readText(file, reading);
  } catch (cause) {
    reading.signal.throwIfAborted();
    throw new CredentialsError(
      'KUBE_NO_SERVICE_ACCOUNT',
      'A ServiceAccount file cannot be read: check that the pod mounts its ServiceAccount.',
      {
        cause,
      },
    );
  }
  if (text.trim() === '')
    throw new CredentialsError(
      'KUBE_NO_SERVICE_ACCOUNT',
      'A ServiceAccount file is empty: check that the pod mounts its ServiceAccount.',
    );
  return text;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
