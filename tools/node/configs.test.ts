import { expect, test } from 'vitest';
import {
  cniConfig,
  containerdConfig,
  controllerManagerArgs,
  kubeletArgs,
  kubeletConfig,
  kubeProxyConfig,
  pathsOf,
  schedulerArgs,
  type NodeLayout,
} from './configs.ts';
import { PAUSE_IMAGE } from './versions.ts';

const LAYOUT: NodeLayout = { folder: '/tmp/run', name: 'e2e', address: '192.0.2.9', cgroup: '/run-1' };
const SERVING = { cert: '/tmp/run/kubelet.crt', key: '/tmp/run/kubelet.key' };

function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

test('everything that is written is in the folder of the run', () => {
  const { folder } = LAYOUT;
  expect(Object.values(pathsOf(LAYOUT)).filter((path) => !path.startsWith(`${folder}/`))).toEqual([]);
  const texts = [
    containerdConfig(LAYOUT, `${folder}/shim`, 'runc'),
    cniConfig(LAYOUT),
    kubeletConfig(LAYOUT, `${folder}/ca.crt`, SERVING),
    kubeProxyConfig(LAYOUT, `${folder}/proxy.kubeconfig`),
    ...kubeletArgs(LAYOUT, `${folder}/kubelet.kubeconfig`),
    ...controllerManagerArgs(folder, `${folder}/manager.kubeconfig`),
    ...schedulerArgs(`${folder}/scheduler.kubeconfig`),
  ];
  const paths = texts.flatMap((text) => text.match(/(?<=["'=]|unix:\/\/)\/[\w./-]+/gu) ?? []);
  expect(paths.length).toBeGreaterThan(10);
  // Debian's plugins are only read, and the cgroup is no file.
  expect(paths.filter((path) => !path.startsWith(folder))).toEqual(['/usr/lib/cni', LAYOUT.cgroup]);
});

test('Pods are in the cgroup of the run, and nothing else is limited', () => {
  expect(parsed(kubeletConfig(LAYOUT, '/ca.crt', SERVING))).toMatchObject({
    cgroupRoot: '/run-1',
    cgroupDriver: 'cgroupfs',
    enforceNodeAllocatable: [],
  });
});

test('the kubelet answers only who has a certificate or a token that the API server knows', () => {
  expect(parsed(kubeletConfig(LAYOUT, '/ca.crt', SERVING))).toMatchObject({
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: '/ca.crt' },
    },
    authorization: { mode: 'Webhook' },
    readOnlyPort: 0,
  });
});

test('kube-proxy leaves the limits of tracked connections alone, which are the whole machine’s', () => {
  expect(parsed(kubeProxyConfig(LAYOUT, '/kubeconfig'))).toMatchObject({
    mode: 'iptables',
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    nodePortAddresses: ['192.0.2.9/32'],
  });
});

test('containerd has the pause image of our own and finds its shim and runc', () => {
  const text = containerdConfig(LAYOUT, '/bin/shim', 'runc');
  expect(text).toContain(`sandbox = "${PAUSE_IMAGE}"`);
  expect(text).toContain('runtime_path = "/bin/shim"');
  expect(text).toContain('BinaryName = "runc"');
});
