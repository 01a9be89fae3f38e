import type { ControlPlaneError } from './errors.ts';

/** A user by client certificate, or a ServiceAccount that exists, by token. */
export type Identity =
  | { name: string; groups?: readonly string[] }
  | { serviceAccount: { namespace: string; name: string } };

/** Files of a certificate and its key. */
export interface ServingFiles {
  cert: string;
  key: string;
}

export interface ControlPlaneOptions {
  /** Whether to record one line per request, see `auditPolicy`. Off by default. */
  auditLog?: boolean;
  /** Called with one line of text at a time while binaries are fetched or built. */
  progress?: (line: string) => void;
  /** Each replaces the default for the same flag. */
  extraApiServerArgs?: readonly string[];
  /**
   * The IPv4 address, other than loopback, of a node beside the control plane. Pods then reach the API server there and through
   * its Service, and it asks the kubelet for logs and to run commands. Omit it if there is no node.
   */
  nodeAddress?: string;
  /** Whether to keep the data folder after `stop`. */
  keepData?: boolean;
  /** Ends the start, including a running build. Has no effect once the control plane is ready. */
  signal?: AbortSignal;
}

export interface RestartOptions {
  /** SIGTERM by default. SIGKILL is a crash: clients see their connections reset. */
  signal?: 'SIGTERM' | 'SIGKILL';
}

/** A running control plane. */
export interface ControlPlane {
  /** Path of the administrator's kubeconfig (group system:masters, client certificate). */
  readonly kubeconfig: string;
  /** https://127.0.0.1:port */
  readonly server: string;
  /** http://127.0.0.1:port of etcd, which asks nobody who they are. */
  readonly etcd: string;
  /** The CA of the server's certificate, PEM. */
  readonly caData: string;
  /** The administrator's certificate and key, PEM. */
  readonly adminCert: string;
  readonly adminKey: string;
  readonly dataDir: string;
  /** Path of the audit log; undefined if it is off. */
  readonly auditLog: string | undefined;
  /** The version that runs, such as 'Kubernetes v1.36.3'. */
  readonly version: string;
  /** Resolves with the reason if etcd or kube-apiserver ends by itself; stays pending otherwise. */
  readonly died: Promise<ControlPlaneError>;
  /** Writes a kubeconfig (mode 0600) for that identity into `dataDir` and returns its path. */
  kubeconfigFor(user: Identity): Promise<string>;
  /** Writes a server's certificate for these names, by the control plane's CA, and its key (mode 0600) into `dataDir`. */
  servingFiles(name: string, names: readonly string[]): Promise<ServingFiles>;
  /** Ends both processes and removes `dataDir`. May be called more than once. */
  stop(): Promise<void>;
  /** Ends kube-apiserver, starts it with the same port and data, and waits until it is ready. */
  restartApiServer(options?: RestartOptions): Promise<void>;
  /** The same for etcd; resolves when the API server is ready again. */
  restartEtcd(options?: RestartOptions): Promise<void>;
  /** Ends both, copies etcd's data to a folder that does not exist yet, and starts them again. */
  saveData(to: string): Promise<void>;
  /** Ends both, puts back etcd's data from such a folder, and starts them again. */
  putBackData(from: string): Promise<void>;
  pids(): { etcd: number; apiServer: number };
}
