import { createHash } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { AppError, asError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { trimEndOf } from '../../lib/text.ts';

/** Trust and client certificate as PEM texts. Immutable. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  /** False only where a kubeconfig says `insecure-skip-tls-verify`. */
  readonly rejectUnauthorized?: boolean;
  /** Changes when any of the others does. */
  readonly version: string;
}

/** Where the API server is and how to prove who we are. Made by credentials.ts or kubeconfig.ts. */
export interface ClusterConnection {
  /** Base URL, without a slash at the end. */
  readonly server: string;
  /** The namespace that the credentials belong to, or the one of the kubeconfig's context. */
  readonly namespace?: string;
  /** http, https or socks5 proxy. */
  readonly proxyUrl?: string;
  /** What was loaded last; `authorization` keeps it fresh. */
  tls(): TlsMaterial;
  /**
   * The value of the Authorization header. Looks again at what it was made from when that is older than a minute, or at once
   * with `force` (after a 401); so a caller asks before each request.
   */
  authorization(force?: boolean): Promise<string | undefined>;
}

/** What a connection reads from files, or gets from a plugin. */
export interface Credentials {
  readonly tls: Omit<TlsMaterial, 'version'>;
  readonly authorization?: string;
}

export interface ConnectionOptions {
  server: string;
  namespace?: string | undefined;
  proxyUrl?: string | undefined;
  clock: Clock;
  log?: Logger | undefined;
  /** Reads everything anew. `force`: whatever is cached below has just been refused. */
  load: (force: boolean) => Promise<Credentials>;
}

/** No credentials, or ones that cannot be read. */
export class CredentialsError extends AppError {}

/** The kubelet renews a token long before it ends; client-go re-reads the file each minute too. */
const MAX_AGE_MS = 60_000;

/** Failed loads and refused credentials are not tried again sooner: a plugin may be slow and may ask a person. */
const MIN_AGE_MS = 2000;

/** A plugin that hangs must not hang the operator. */
const LOAD_TIMEOUT_MS = 60_000;

/** Loads the credentials once, so that what is missing is said at the start, and returns a connection that keeps them fresh. */
export async function openConnection(options: ConnectionOptions): Promise<ClusterConnection> {
  const { protocol, hostname } = new URL(options.server);
  const first = await options.load(false);
  const secret = first.authorization !== undefined || first.tls.key !== undefined;
  if (protocol === 'http:' && secret && !isLoopback(hostname))
    throw new CredentialsError(
      'KUBE_PLAIN_HTTP',
      'Credentials are not sent over plain http to another machine.',
    );
  return new ReloadingConnection(options, first);
}

class ReloadingConnection implements ClusterConnection {
  readonly server: string;
  readonly namespace?: string;
  readonly proxyUrl?: string;
  readonly #clock: Clock;
  readonly #log: Logger | undefined;
  readonly #load: ConnectionOptions['load'];
  #tls: TlsMaterial;
  #authorization: string | undefined;
  #loadedAt: number;
  #loading: Promise<void> | undefined;

  constructor(options: ConnectionOptions, first: Credentials) {
    this.server = trimEndOf(options.server, '/');
    if (options.namespace !== undefined) this.namespace = options.namespace;
    if (options.proxyUrl !== undefined) this.proxyUrl = options.proxyUrl;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#load = options.load;
    this.#tls = withVersion(first.tls);
    this.#authorization = first.authorization;
    this.#loadedAt = options.clock.monotonic();
  }

  tls(): TlsMaterial {
    return this.#tls;
  }

  async authorization(force = false): Promise<string | undefined> {
    const age = this.#clock.monotonic() - this.#loadedAt;
    if (age >= (force ? MIN_AGE_MS : MAX_AGE_MS)) {
      this.#loading ??= this.#reload(force).finally(() => (this.#loading = undefined));
      await this.#loading;
    }
    return this.#authorization;
  }

  /** Keeps the former credentials when new ones cannot be had: they may still be good, and if not, the server says so. */
  async #reload(force: boolean): Promise<void> {
    let cancel = (): void => undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      cancel = this.#clock.timer(LOAD_TIMEOUT_MS, () =>
        reject(new CredentialsError('KUBE_CREDENTIALS_TIMEOUT', 'The credentials did not come in time.')),
      );
    });
    try {
      const loaded = await Promise.race([this.#load(force), timeout]);
      const tls = withVersion(loaded.tls);
      this.#authorization = loaded.authorization;
      if (tls.version !== this.#tls.version) this.#tls = tls;
    } catch (error) {
      this.#log?.warn(
        { error: asError(error) },
        'The cluster credentials cannot be renewed; keeping the old',
      );
    } finally {
      cancel();
      this.#loadedAt = this.#clock.monotonic();
    }
  }
}

function withVersion(tls: Credentials['tls']): TlsMaterial {
  const { ca, cert, key, servername, rejectUnauthorized } = tls;
  const version = createHash('sha256')
    .update(JSON.stringify([ca, cert, key, servername, rejectUnauthorized]))
    .digest('hex');
  return { ...tls, version };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
