import { cp, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clip } from '../../src/lib/errors.ts';
import { apiRequest, type ApiEndpoint } from './api-request.ts';
import type { Binaries } from './binaries.ts';
import { ControlPlaneError } from './errors.ts';
import { API_SERVICE_ADDRESS, auditPolicy, nodeArgs } from './flags.ts';
import { kubeconfigText, type UserCredential } from './kubeconfig.ts';
import { createAuthority, createSigningKey, type Authority } from './pki.ts';
import { Servers } from './servers.ts';
import type { ControlPlane, ControlPlaneOptions, Identity, RestartOptions, ServingFiles } from './types.ts';

/** Long enough for any test: the control plane ends earlier. */
const TOKEN_SECONDS = 24 * 60 * 60;

const ADMIN = 'kubernetes-admin';

/** One control plane: its folder, its identities and its two servers. */
export class Cluster implements ControlPlane {
  readonly kubeconfig: string;
  readonly caData: string;
  readonly adminCert: string;
  readonly adminKey: string;
  readonly dataDir: string;
  readonly auditLog: string | undefined;
  readonly version: string;

  readonly #authority: Authority;
  readonly #nodeAddress: string | undefined;
  readonly #servers: Servers;
  #kubeconfigs = 0;

  private constructor(dataDir: string, binaries: Binaries, options: ControlPlaneOptions) {
    this.#authority = createAuthority(new Date());
    const admin = this.#authority.issue({
      commonName: ADMIN,
      organizations: ['system:masters'],
      usage: 'client',
    });
    this.dataDir = dataDir;
    this.version = binaries.version;
    this.kubeconfig = join(dataDir, 'admin.kubeconfig');
    this.caData = this.#authority.caCert;
    this.adminCert = admin.cert;
    this.adminKey = admin.key;
    this.#nodeAddress = options.nodeAddress;
    this.auditLog = options.auditLog === true ? join(dataDir, 'audit.log') : undefined;
    this.#servers = new Servers({
      binaries,
      dataDir,
      auditLog: this.auditLog,
      extraApiServerArgs: [
        ...(options.nodeAddress === undefined ? [] : nodeArgs(dataDir, options.nodeAddress)),
        ...(options.extraApiServerArgs ?? []),
      ],
      keepData: options.keepData === true,
      caData: this.caData,
      cert: admin.cert,
      key: admin.key,
    });
  }

  /** Starts both servers and waits until the API server serves. Leaves nothing behind if that fails. */
  static async start(binaries: Binaries, options: ControlPlaneOptions): Promise<Cluster> {
    options.signal?.throwIfAborted();
    const dataDir = await mkdtemp(join(await realpath(tmpdir()), 'tinycert-control-plane-'));
    const cluster = new Cluster(dataDir, binaries, options);
    try {
      await cluster.#writeFiles();
      await cluster.#servers.start(options.signal);
      await cluster.#writeKubeconfig(cluster.kubeconfig, ADMIN, {
        cert: cluster.adminCert,
        key: cluster.adminKey,
      });
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get server(): string {
    return this.#servers.url;
  }

  get etcd(): string {
    return this.#servers.etcdUrl;
  }

  get died(): Promise<ControlPlaneError> {
    return this.#servers.died;
  }

  pids(): { etcd: number; apiServer: number } {
    return this.#servers.pids();
  }

  async kubeconfigFor(user: Identity): Promise<string> {
    const path = join(this.dataDir, `user-${++this.#kubeconfigs}.kubeconfig`);
    if ('serviceAccount' in user) {
      const { namespace, name } = user.serviceAccount;
      const token = await this.#token(namespace, name);
      await this.#writeKubeconfig(path, `system:serviceaccount:${namespace}:${name}`, { token });
    } else {
      const credential = this.#authority.issue({
        commonName: user.name,
        organizations: user.groups ?? [],
        usage: 'client',
      });
      await this.#writeKubeconfig(path, user.name, credential);
    }
    return path;
  }

  async servingFiles(name: string, names: readonly string[]): Promise<ServingFiles> {
    const { cert, key } = this.#authority.issue({ commonName: name, usage: 'server', names });
    const files = { cert: join(this.dataDir, `${name}.crt`), key: join(this.dataDir, `${name}.key`) };
    await writeFile(files.cert, cert, { mode: 0o600 });
    await writeFile(files.key, key, { mode: 0o600 });
    return files;
  }

  restartApiServer(options: RestartOptions = {}): Promise<void> {
    return this.#servers.restart('apiServer', options.signal);
  }

  restartEtcd(options: RestartOptions = {}): Promise<void> {
    return this.#servers.restart('etcd', options.signal);
  }

  saveData(to: string): Promise<void> {
    return this.#servers.whileDown((data) =>
      cp(data, to, { recursive: true, errorOnExist: true, force: false }),
    );
  }

  putBackData(from: string): Promise<void> {
    return this.#servers.whileDown(async (data) => {
      await rm(data, { recursive: true });
      await cp(from, data, { recursive: true });
    });
  }

  stop(): Promise<void> {
    return this.#servers.stop();
  }

  async #token(namespace: string, name: string): Promise<string> {
    const endpoint: ApiEndpoint = {
      server: this.server,
      caData: this.caData,
      cert: this.adminCert,
      key: this.adminKey,
    };
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`;
    const reply = await apiRequest(endpoint, 'POST', path, {
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: TOKEN_SECONDS },
      },
    });
    if (reply.status !== 201) {
      throw new ControlPlaneError('RequestFailed', 'The API server gave no token for the ServiceAccount.', [
        `${namespace}/${name}: ${reply.status} ${clip(reply.body)}`,
      ]);
    }
    return (JSON.parse(reply.body) as { status: { token: string } }).status.token;
  }

  async #writeKubeconfig(path: string, name: string, user: UserCredential): Promise<void> {
    await writeFile(path, kubeconfigText(this.server, this.caData, user, name), { mode: 0o600 });
  }

  async #writeFiles(): Promise<void> {
    const names = ['127.0.0.1', 'localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
    const server = this.#authority.issue({
      commonName: 'kube-apiserver',
      usage: 'server',
      names: this.#nodeAddress === undefined ? names : [...names, API_SERVICE_ADDRESS, this.#nodeAddress],
    });
    const signing = createSigningKey();
    const files: Record<string, string> = {
      'ca.crt': this.caData,
      'apiserver.crt': server.cert,
      'apiserver.key': server.key,
      'service-account.pub': signing.publicKey,
      'service-account.key': signing.privateKey,
      'audit-policy.json': auditPolicy(),
    };
    if (this.#nodeAddress !== undefined) {
      // By this identity the API server calls the kubelet.
      const kubelet = this.#authority.issue({
        commonName: 'kube-apiserver-kubelet-client',
        organizations: ['system:masters'],
        usage: 'client',
      });
      files['kubelet-client.crt'] = kubelet.cert;
      files['kubelet-client.key'] = kubelet.key;
    }
    await Promise.all(
      Object.entries(files).map(([name, text]) => writeFile(join(this.dataDir, name), text, { mode: 0o600 })),
    );
  }
}
