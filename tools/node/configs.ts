/** The configuration files and command lines of a node. Pure, so a test can read them. */
import { SERVICE_RANGE } from '../control-plane/flags.ts';
import type { ServingFiles } from '../control-plane/types.ts';
import { PAUSE_IMAGE } from './versions.ts';

/** The files and names of one node. */
export interface NodeLayout {
  /** The folder of everything. */
  folder: string;
  name: string;
  address: string;
  /** The cgroup above those of all Pods, such as `/tinycert-node-x`. */
  cgroup: string;
}

const POD_RANGE = '10.88.0.0/16';
const NODE_POD_RANGE = '10.88.0.0/24';

/** A path of the node: its socket, state, logs. */
export function pathsOf({ folder }: Pick<NodeLayout, 'folder'>) {
  return {
    containerdConfig: `${folder}/containerd.toml`,
    containerdRoot: `${folder}/containerd`,
    containerdState: `${folder}/containerd-state`,
    containerdSocket: `${folder}/containerd.sock`,
    cniConfig: `${folder}/cni/10-bridge.conflist`,
    cniFolder: `${folder}/cni`,
    cniData: `${folder}/cni-addresses`,
    kubelet: `${folder}/kubelet`,
    kubeletConfig: `${folder}/kubelet.json`,
    kubeProxyConfig: `${folder}/kube-proxy.json`,
    podLogs: `${folder}/pod-logs`,
    resolvConf: `${folder}/resolv.conf`,
    volumePlugins: `${folder}/volume-plugins`,
  };
}

/** containerd's configuration (TOML; JSON strings are TOML strings). */
export function containerdConfig(layout: NodeLayout, shim: string, runc: string): string {
  const paths = pathsOf(layout);
  const quote = (text: string): string => JSON.stringify(text);
  const unused = [
    'internal.v1.opt',
    'nri.v1.nri',
    ...['blockfile', 'erofs', 'btrfs', 'zfs', 'devmapper'].map((name) => `snapshotter.v1.${name}`),
  ];
  return `version = 3
root = ${quote(paths.containerdRoot)}
state = ${quote(paths.containerdState)}
disabled_plugins = [${unused.map((name) => quote(`io.containerd.${name}`)).join(', ')}]

[grpc]
address = ${quote(paths.containerdSocket)}

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = ${quote(PAUSE_IMAGE)}

[plugins.'io.containerd.cri.v1.runtime']
# Not every root may lower the value, as the pause process would (-998).
restrict_oom_score_adj = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = [${quote(CNI_PLUGINS)}]
conf_dir = ${quote(paths.cniFolder)}

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
runtime_path = ${quote(shim)}

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = ${quote(runc)}
SystemdCgroup = false
`;
}

/** Where Debian puts the CNI plugins. */
export const CNI_PLUGINS = '/usr/lib/cni';

/** The network of the Pods: a bridge, whose addresses the node reaches. There is no way out of the node, and none is needed. */
export function cniConfig(layout: NodeLayout): string {
  return json({
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'pods0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: pathsOf(layout).cniData,
          ranges: [[{ subnet: NODE_POD_RANGE }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'loopback' },
    ],
  });
}

/** The kubelet's configuration. */
export function kubeletConfig(layout: NodeLayout, clientCa: string, serving: ServingFiles): string {
  const paths = pathsOf(layout);
  return json({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: layout.cgroup,
    cgroupsPerQOS: true,
    // The machine's other processes are none of the node's business.
    enforceNodeAllocatable: [],
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${paths.containerdSocket}`,
    address: layout.address,
    readOnlyPort: 0,
    healthzPort: 0,
    tlsCertFile: serving.cert,
    tlsPrivateKeyFile: serving.key,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: clientCa },
    },
    authorization: { mode: 'Webhook' },
    // No Pod needs a name here; the kubelet warns about Pods if nothing is set.
    clusterDNS: [layout.address],
    clusterDomain: 'cluster.local',
    resolvConf: paths.resolvConf,
    podLogsDir: paths.podLogs,
    volumePluginDir: paths.volumePlugins,
    // Images are imported once and cannot be pulled again.
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'nodefs.inodesFree': '1%',
      'imagefs.available': '1%',
    },
    nodeStatusUpdateFrequency: '5s',
  });
}

/** kube-proxy's configuration. It leaves the kernel's limits of tracked connections alone. */
export function kubeProxyConfig(layout: NodeLayout, kubeconfig: string): string {
  return json({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    hostnameOverride: layout.name,
    clusterCIDR: POD_RANGE,
    clientConnection: { kubeconfig },
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    metricsBindAddress: '127.0.0.1:10249',
    healthzBindAddress: '127.0.0.1:10256',
    nodePortAddresses: [`${layout.address}/32`],
  });
}

export function kubeletArgs(layout: NodeLayout, kubeconfig: string): string[] {
  const paths = pathsOf(layout);
  return [
    `--config=${paths.kubeletConfig}`,
    `--kubeconfig=${kubeconfig}`,
    `--root-dir=${paths.kubelet}`,
    `--cert-dir=${paths.kubelet}/pki`,
    `--hostname-override=${layout.name}`,
    `--node-ip=${layout.address}`,
  ];
}

export function controllerManagerArgs(dataDir: string, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--use-service-account-credentials',
    `--service-account-private-key-file=${dataDir}/service-account.key`,
    `--root-ca-file=${dataDir}/ca.crt`,
    '--allocate-node-cidrs',
    `--cluster-cidr=${POD_RANGE}`,
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
  ];
}

export function schedulerArgs(kubeconfig: string): string[] {
  return [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--bind-address=127.0.0.1'];
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
