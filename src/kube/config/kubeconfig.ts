import { readFile } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import { asError, clip } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { type ClusterConnection, type Credentials, openConnection } from './connection.ts';
import { type Entry, KubeconfigError, readContext, textOf } from './kubeconfig-file.ts';

export { KubeconfigError };

export interface KubeconfigOptions {
  /** Instead of the current one. */
  context?: string;
  clock: Clock;
  log?: Logger;
}

/**
 * The connection that kubeconfig files describe. Certificates, keys, tokens and passwords are read here; only what runs a plugin or
 * an identity provider (`exec`, `auth-provider`) loads @kubernetes/client-node, since its import costs 0.6 s and 70 MB.
 * Throws a KubeconfigError.
 */
export async function loadKubeconfig(
  path: string | readonly string[],
  options: KubeconfigOptions,
): Promise<ClusterConnection> {
  const { clock, log, context } = options;
  const files = typeof path === 'string' ? [path] : path;
  const found = await readContext(files, context);
  const { cluster, user, contextName, namespace = 'default' } = found;
  const server = textOf(cluster, 'server');
  if (server === undefined || !URL.canParse(server))
    throw new KubeconfigError('KUBECONFIG_NO_SERVER', 'The cluster of the kubeconfig has no valid server.', {
      entry: found.clusterName,
    });
  if (['as', 'as-groups', 'as-uid', 'as-user-extra'].some((name) => user[name] !== undefined))
    throw new KubeconfigError('KUBECONFIG_IMPERSONATION', 'Impersonation is not supported.', {
      entry: found.userName,
    });
  // Through client-node the files are read anew each time: its caches hold what the server has just refused.
  const load = usesPlugin(user)
    ? await pluginLoader(async () => readContext(files, contextName))
    : async (): Promise<Credentials> => readCredentials(cluster, user);
  const proxyUrl = textOf(cluster, 'proxy-url');
  return openConnection({ server, namespace, proxyUrl, clock, log, load });
}

function usesPlugin(user: Entry): boolean {
  return user['exec'] !== undefined || user['auth-provider'] !== undefined;
}

/** What the files hold now; called again each minute, so that rotated files are followed. */
async function readCredentials(cluster: Entry, user: Entry): Promise<Credentials> {
  const [ca, cert, key, token] = await Promise.all([
    pem(cluster, 'certificate-authority'),
    pem(user, 'client-certificate'),
    pem(user, 'client-key'),
    readToken(user),
  ]);
  const authorization = token === undefined ? basic(user) : `Bearer ${token}`;
  return {
    tls: {
      ...trustOf(cluster),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
    ...(authorization === undefined ? {} : { authorization }),
  };
}

function trustOf(cluster: Entry): { servername?: string; rejectUnauthorized?: false } {
  const servername = textOf(cluster, 'tls-server-name');
  return {
    ...(servername === undefined ? {} : { servername }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
  };
}

/** `<name>-data` in base64 wins over the file that `<name>` says. */
async function pem(entry: Entry, name: string): Promise<string | undefined> {
  const data = textOf(entry, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const file = textOf(entry, name);
  return file === undefined ? undefined : readNamed(file, name);
}

async function readToken(user: Entry): Promise<string | undefined> {
  const file = textOf(user, 'tokenFile');
  if (file !== undefined) return (await readNamed(file, 'tokenFile')).trim();
  return textOf(user, 'token');
}

function basic(user: Entry): string | undefined {
  const name = textOf(user, 'username');
  if (name === undefined) return undefined;
  const pair = `${name}:${textOf(user, 'password') ?? ''}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

async function readNamed(file: string, entry: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new KubeconfigError('KUBECONFIG_UNREADABLE', 'A file that the kubeconfig names cannot be read.', {
      file,
      entry,
      cause,
    });
  }
}

/** Credentials by way of client-node: exec plugins, OIDC, the older cloud providers. */
async function pluginLoader(
  read: () => ReturnType<typeof readContext>,
): Promise<(force: boolean) => Promise<Credentials>> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const make = async (): Promise<InstanceType<typeof KubeConfig>> => {
    const { cluster, user } = await read();
    const config = new KubeConfig();
    // One context only, as JSON, which is YAML. Only its credentials are wanted: client-node is to make no agent for a proxy, and
    // to refuse no address.
    const direct: Record<string, unknown> = { ...cluster, server: 'https://cluster.invalid' };
    delete direct['proxy-url'];
    config.loadFromString(
      JSON.stringify({
        clusters: [{ name: 'cluster', cluster: direct }],
        users: [{ name: 'user', user }],
        contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
        'current-context': 'context',
      }),
    );
    return config;
  };
  let config = await make();
  return async (force) => {
    if (force) config = await make();
    try {
      return await fromClientNode(config);
    } catch (error) {
      throw new KubeconfigError(
        'KUBECONFIG_PLUGIN',
        'The credential plugin of the kubeconfig gave no credentials.',
        { cause: new Error(clip(asError(error).message)) },
      );
    }
  };
}

/** What client-node writes into the options of an https request. */
interface HttpsOptions {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  headers?: Record<string, string>;
}

async function fromClientNode(config: {
  applyToHTTPSOptions(options: object): Promise<void>;
}): Promise<Credentials> {
  const options: HttpsOptions = {};
  await config.applyToHTTPSOptions(options);
  const authorization = options.headers?.['Authorization'];
  return {
    tls: {
      ...(options.ca === undefined ? {} : { ca: options.ca.toString() }),
      ...(options.cert === undefined ? {} : { cert: options.cert.toString() }),
      ...(options.key === undefined ? {} : { key: options.key.toString() }),
      ...(options.servername === undefined ? {} : { servername: options.servername }),
      ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
    },
    ...(authorization === undefined ? {} : { authorization }),
  };
}
