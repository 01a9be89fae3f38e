import { createHash } from 'node:crypto';
import { type Clock, deadline } from '../../lib/clock.ts';
import { AppError, asError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { trimEndOf } from '../../lib/text.ts';
import { unlessAborted, unlessAbortedFor } from '../../lib/within.ts';

/** Trusted certificates and client certificate, in PEM. Immutable. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  /** False only if a kubeconfig sets `insecure-skip-tls-verify`. */
  readonly rejectUnauthorized?: boolean;
  /** Changes when any other field does. */
  readonly version: string;
}

/** Address and credentials of an API server. Made by credentials.ts or kubeconfig.ts. */
export interface ClusterConnection {
  /** Base URL, without a slash at the end. */
  readonly server: string;
  /** The namespace of the ServiceAccount, or of the kubeconfig's context. */
  readonly namespace?: string;
  /** URL of an http, https or socks5 proxy. */
  readonly proxyUrl?: string;
  /** The TLS material that was loaded last; `authorization` reloads it. */
  tls(): TlsMaterial;
  /**
   * The value of the Authorization header. Reloads the credentials if they are older than a minute; with `force` (after a 401), if
   * older than two seconds. Call it before each request.
   */
  authorization(force?: boolean): Promise<string | undefined>;
  /** Whether credentials are being loaded, which `authorization` waits for. */
  isLoading(): boolean;
}

/** Credentials that a connection reads from files or gets from a plugin. */
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
  /** Reads the credentials again. Ends soon after its signal has aborted. */
  load: (load: LoadOptions) => Promise<Credentials>;
  /** Ends the wait for the first credentials. */
  signal?: AbortSignal | undefined;
}

/** How credentials are to be loaded. */
export interface LoadOptions {
  /** The server has just refused what may be cached. */
  force: boolean;
  signal: AbortSignal;
}

/** Credentials are missing, cannot be read or may not be used. */
export class CredentialsError extends AppError {}

/** Credentials older than this are reloaded. The kubelet renews a token long before it expires; client-go also reads each minute. */
export const CREDENTIALS_MAX_AGE_MS = 60_000;

/** Even after a failure or a 401, credentials are not loaded again sooner: a plugin may be slow or may ask a person. */
export const CREDENTIALS_RETRY_MS = 2000;

/** Time limit for loading credentials: a plugin that hangs must not block the operator. */
export const LOAD_TIMEOUT_MS = 60_000;

/** How long loading may take to end once it is given up, in milliseconds: longer than a plugin that is told to end. */
export const LOAD_ENDS_MS = 1_500;

/** A plugin or a file system did not give the credentials in time. */
export class CredentialsTimeout extends CredentialsError {
  constructor() {
    super(
      'KUBE_CREDENTIALS_TIMEOUT',
      `The cluster’s credentials were not there after ${LOAD_TIMEOUT_MS / 1000} s: run the kubeconfig’s credential plugin by hand, and read the files that the kubeconfig names.`,
    );
  }
}

/**
 * Loads the credentials once, to report a problem at startup, and returns a connection that reloads them. Throws `CredentialsError`,
 * or the signal's reason.
 */
export async function openConnection(options: ConnectionOptions): Promise<ClusterConnection> {
  const { protocol, hostname } = new URL(options.server);
  const limit = deadline(options.clock, LOAD_TIMEOUT_MS, () => new CredentialsTimeout(), options.signal);
  const { clock, load } = options;
  const first = await unlessAbortedFor(
    clock,
    LOAD_ENDS_MS,
    load({ force: false, signal: limit.signal }),
    limit.signal,
  ).finally(() => limit.clear());
  const secret = first.authorization !== undefined || first.tls.key !== undefined;
  if (protocol === 'http:' && secret && !isLoopback(hostname))
    throw new CredentialsError(
      'KUBE_PLAIN_HTTP',
      'Credentials are not sent over plain http to another machine: use https.',
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

  isLoading(): boolean {
    return this.#loading !== undefined;
  }

  async authorization(force = false): Promise<string | undefined> {
    const age = this.#clock.monotonic() - this.#loadedAt;
    if (age >= (force ? CREDENTIALS_RETRY_MS : CREDENTIALS_MAX_AGE_MS)) {
      this.#loading ??= this.#reload(force).finally(() => (this.#loading = undefined));
      await this.#loading;
    }
    return this.#authorization;
  }

  /** Keeps the old credentials if the new ones cannot be loaded: they may still be valid, and if not, the server refuses them. */
  async #reload(force: boolean): Promise<void> {
    const limit = deadline(this.#clock, LOAD_TIMEOUT_MS, () => new CredentialsTimeout());
    try {
      const loaded = await unlessAborted(this.#load({ force, signal: limit.signal }), limit.signal);
      const tls = withVersion(loaded.tls);
      this.#authorization = loaded.authorization;
      if (tls.version !== this.#tls.version) this.#tls = tls;
    } catch (error) {
      this.#log?.warn(
        { error: asError(error) },
        'Could not reload the cluster credentials; using the old ones',
      );
    } finally {
      limit.clear();
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
