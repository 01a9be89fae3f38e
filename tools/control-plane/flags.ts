/** The command lines of etcd and kube-apiserver, and the audit policy. Pure, so a test can read them. */

/** The files and ports of one control plane. */
export interface Layout {
  dataDir: string;
  etcdPort: number;
  etcdPeerPort: number;
  apiPort: number;
}

/** Without a node there is no Pod network, and the range only has to be valid. */
export const SERVICE_RANGE = '10.96.0.0/16';

/** The first address of the range: that of the API server's own Service. */
export const API_SERVICE_ADDRESS = '10.96.0.1';

/**
 * TEST-NET-1 (RFC 5737). The API server refuses loopback as its advertised address and, without one, looks for a network
 * interface, which a sandbox may not have. Nothing connects to it: the endpoint reconciler that would publish it is off.
 */
const ADVERTISED_ADDRESS = '192.0.2.1';

export function etcdArgs(layout: Layout): string[] {
  const client = `http://127.0.0.1:${layout.etcdPort}`;
  const peer = `http://127.0.0.1:${layout.etcdPeerPort}`;
  return [
    '--name=default',
    `--data-dir=${layout.dataDir}/etcd`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // The data need not survive a crash of the machine, and with fsync the tests would measure the disk instead of the
    // operator.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

/** An argument of `extra` replaces the default for the same flag, also where kube-apiserver would add it to a list. */
export function apiServerArgs(
  layout: Layout,
  auditLog: string | undefined,
  extra: readonly string[],
): string[] {
  const given = new Set(extra.map(flagOf));
  return [...defaults(layout, auditLog).filter((arg) => !given.has(flagOf(arg))), ...extra];
}

function flagOf(arg: string): string {
  return arg.split('=', 1)[0] ?? arg;
}

function defaults(layout: Layout, auditLog: string | undefined): string[] {
  const { dataDir } = layout;
  return [
    `--etcd-servers=http://127.0.0.1:${layout.etcdPort}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${layout.apiPort}`,
    `--advertise-address=${ADVERTISED_ADDRESS}`,
    '--endpoint-reconciler-type=none',
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--authorization-mode=RBAC',
    `--client-ca-file=${dataDir}/ca.crt`,
    `--tls-cert-file=${dataDir}/apiserver.crt`,
    `--tls-private-key-file=${dataDir}/apiserver.key`,
    `--cert-dir=${dataDir}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${dataDir}/service-account.pub`,
    `--service-account-signing-key-file=${dataDir}/service-account.key`,
    // This poll only feeds a metric of etcd's size.
    '--etcd-count-metric-poll-period=0',
    '--etcd-db-metric-poll-interval=0',
    ...(auditLog === undefined
      ? []
      : [
          `--audit-policy-file=${dataDir}/audit-policy.json`,
          `--audit-log-path=${auditLog}`,
          // No rotation: requests are counted in one file from its beginning.
          '--audit-log-maxsize=0',
        ]),
  ];
}

/** What kube-apiserver needs, instead of its defaults here, to serve a node with that address. */
export function nodeArgs(dataDir: string, address: string): string[] {
  return [
    '--bind-address=0.0.0.0',
    `--advertise-address=${address}`,
    // It publishes the address as the endpoint of the Service by which Pods reach it.
    '--endpoint-reconciler-type=lease',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--kubelet-certificate-authority=${dataDir}/ca.crt`,
    `--kubelet-client-certificate=${dataDir}/kubelet-client.crt`,
    `--kubelet-client-key=${dataDir}/kubelet-client.key`,
    '--kubelet-preferred-address-types=InternalIP',
  ];
}

/** Records who did what, once per request, when it is answered. Omits probes and the API server's own housekeeping. */
export function auditPolicy(): string {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived', 'ResponseStarted'],
    rules: [
      { level: 'None', users: ['system:apiserver'] },
      {
        level: 'None',
        nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version', '/openapi/*', '/metrics'],
      },
      { level: 'Metadata' },
    ],
  };
  return `${JSON.stringify(policy, null, 2)}\n`;
}
