import type { Clock } from '../../lib/clock.ts';
import { asError, clip } from '../../lib/errors.ts';
import { unlessAborted } from '../../lib/within.ts';
import type { Logger } from '../../lib/log.ts';
import { type ClusterConnection, type Credentials, type LoadOptions, openConnection } from './connection.ts';
import { type PluginCredential, runPlugin } from './exec-plugin.ts';
import { type Entry, KubeconfigError, readContext, textOf } from './kubeconfig-file.ts';
import { type ReadOptions, readText } from './read-text.ts';

export { KubeconfigError };

export interface KubeconfigOptions {
  /** Name of the context to use. Default: the current one. */
  context?: string;
  clock: Clock;
  log?: Logger;
  /** Ends the wait for the first credentials. */
  signal?: AbortSignal;
  /** Kills a plugin that runs, since this process ends. */
  end?: AbortSignal;
}

/**
 * The connection that kubeconfig files describe. Certificates, keys, tokens and passwords are read here, and plugins are run. Only an
 * identity provider (`auth-provider`) needs @kubernetes/client-node, which is then imported: that costs 0.2 s and 30 MB.
 * Throws a KubeconfigError, or the signal's reason.
 */
export async function loadKubeconfig(
  path: string | readonly string[],
  options: KubeconfigOptions,
): Promise<ClusterConnection> {
  const { clock, log, context, end, signal = NEVER } = options;
  const files = typeof path === 'string' ? [path] : path;
  const found = await readContext(files, context, { clock, signal });
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
  const again = (load: LoadOptions): ReturnType<typeof readContext> =>
    readContext(files, contextName, { clock, signal: load.signal });
  const load =
    user['exec'] !== undefined
      ? pluginLoader(again, { clock, log, end })
      : user['auth-provider'] !== undefined
        ? await providerLoader(again, { clock, signal })
        : async (load: LoadOptions) => readCredentials(cluster, user, { clock, signal: load.signal });
  const proxyUrl = textOf(cluster, 'proxy-url');
  return openConnection({ server, namespace, proxyUrl, clock, log, load, signal });
}

/** For who never stops waiting. */
const NEVER = new AbortController().signal;

/** The present content of the files. Called once a minute, so rotated files take effect. */
async function readCredentials(cluster: Entry, user: Entry, reading: ReadOptions): Promise<Credentials> {
  const [ca, cert, key, token] = await Promise.all([
    pem(cluster, 'certificate-authority', reading),
    pem(user, 'client-certificate', reading),
    pem(user, 'client-key', reading),
    readToken(user, reading),
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
async function pem(entry: Entry, name: string, reading: ReadOptions): Promise<string | undefined> {
  const data = textOf(entry, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const file = textOf(entry, name);
  return file === undefined ? undefined : readNamed(file, name, reading);
}

async function readToken(user: Entry, reading: ReadOptions): Promise<string | undefined> {
  const file = textOf(user, 'tokenFile');
  if (file !== undefined) return (await readNamed(file, 'tokenFile', reading)).trim();
  return textOf(user, 'token');
}

function basic(user: Entry): string | undefined {
  const name = textOf(user, 'username');
  if (name === undefined) return undefined;
  const pair = `${name}:${textOf(user, 'password') ?? ''}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

async function readNamed(file: string, entry: string, reading: ReadOptions): Promise<string> {
  try {
    return await readText(file, reading);
  } catch (cause) {
    reading.signal.throwIfAborted();
    throw new KubeconfigError('KUBECONFIG_UNREADABLE', 'A file named in the kubeconfig cannot be read.', {
      file,
      entry,
      cause,
    });
  }
}

type Again = (load: LoadOptions) => ReturnType<typeof readContext>;

/**
 * Loads credentials by the user's plugin. What it returns is kept until it expires or the server refuses it; the files are read again
 * each time.
 */
function pluginLoader(
  again: Again,
  { clock, log, end }: { clock: Clock; log: Logger | undefined; end: AbortSignal | undefined },
): (load: LoadOptions) => Promise<Credentials> {
  let kept: PluginCredential | undefined;
  return async (load) => {
    const { cluster, user } = await again(load);
    const { signal } = load;
    const isGood = !load.force && (kept?.expiresAt ?? Infinity) > clock.now();
    const exec = user['exec'] as Entry;
    if (!isGood || !kept)
      kept = await runPlugin(exec, { clock, log, signal, end }).catch((error: unknown) =>
        refuse(error, signal),
      );
    const files = await readCredentials(cluster, user, { clock, signal });
    const { token, cert, key } = kept;
    return {
      tls: { ...files.tls, ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) },
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  };
}

/** Loads credentials through client-node: OIDC and the older cloud providers. Its calls take no signal, so they are only waited for. */
async function providerLoader(
  again: Again,
  first: ReadOptions,
): Promise<(load: LoadOptions) => Promise<Credentials>> {
  const { KubeConfig } = await import('./client-node.ts');
  const make = async (load: LoadOptions): Promise<InstanceType<typeof KubeConfig>> => {
    const { cluster, user } = await again(load);
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
  let config = await make({ force: false, signal: first.signal });
  return async (load) => {
    // After a refusal client-node gets the files again, in a new object: the old one caches what the server has refused.
    if (load.force) config = await make(load);
    try {
      return await unlessAborted(fromClientNode(config), load.signal);
    } catch (error) {
      return refuse(error, load.signal);
    }
  };
}

function refuse(error: unknown, signal: AbortSignal): never {
  signal.throwIfAborted();
  throw new KubeconfigError(
    'KUBECONFIG_PLUGIN',
    'The kubeconfig’s credential plugin returned no credentials.',
    { cause: new Error(clip(asError(error).message)) },
  );
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
