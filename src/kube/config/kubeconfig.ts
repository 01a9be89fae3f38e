import { readFile } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import { asError, clip } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { type ClusterConnection, type Credentials, openConnection } from './connection.ts';
import { type Entry, KubeconfigError, readContext, textOf } from './kubeconfig-file.ts';

export { KubeconfigError };

export interface KubeconfigOptions {
  /** Name of the context to use. Default: the current one. */
  context?: string;
  clock: Clock;
  log?: Logger;
}

/**
 * The connection that kubeconfig files describe. Certificates, keys, tokens and passwords are read here. Only a plugin or an identity
 * provider (`exec`, `auth-provider`) needs @kubernetes/client-node, which is then imported: that costs 0.6 s and 70 MB.
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
    throw new KubeconfigError(
      'KUBECONFIG_NO_SERVER',
      'The kubeconfig’s cluster has no valid server: write a URL.',
      {
        entry: found.clusterName,
      },
    );
  if (['as', 'as-groups', 'as-uid', 'as-user-extra'].some((name) => user[name] !== undefined))
    throw new KubeconfigError(
      'KUBECONFIG_IMPERSONATION',
      'Impersonation is not supported: remove the as fields from the kubeconfig’s user.',
      {
        entry: found.userName,
      },
    );
  // After a refusal client-node gets the files again, in a new object: the old one caches what the server has refused.
  const load = usesPlugin(user)
    ? await pluginLoader(async () => readContext(files, contextName))
    : async (): Promise<Credentials> => readCredentials(cluster, user);
  const proxyUrl = textOf(cluster, 'proxy-url');
  return openConnection({ server, namespace, proxyUrl, clock, log, load });
}

function usesPlugin(user: Entry): boolean {
  return user['exec'] !== undefined || user['auth-provider'] !== undefined;
}

/** The present content of the files. Called once a minute, so rotated files take effect. */
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

/** The PEM text in `<name>-data` (base64), else in the file that `<name>` names. */
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
    throw new KubeconfigError('KUBECONFIG_UNREADABLE', 'A file named in the kubeconfig cannot be read.', {
      file,
      entry,
      cause,
    });
  }
}

/** Loads credentials through client-node: exec plugins, OIDC, the older cloud providers. */
async function pluginLoader(
  read: () => ReturnType<typeof readContext>,
): Promise<(force: boolean) => Promise<Credentials>> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const make = async (): Promise<InstanceType<typeof KubeConfig>> => {
    const { cluster, user } = await read();
    const config = new KubeConfig();
    // One context, as JSON, which is valid YAML. Only its credentials matter, so client-node gets no proxy, for which it would make
    // an agent, and an address that it does not refuse.
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
        'The kubeconfig’s credential plugin returned no credentials.',
        { cause: new Error(clip(asError(error).message)) },
      );
    }
  };
}

/** The options of an https request that client-node sets. */
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
