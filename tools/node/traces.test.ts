import { expect, test } from 'vitest';
import { differences, nodeMounts, withoutCounters } from './traces.ts';

test('what is new and what is gone is named by its kind', () => {
  const before = { links: ['lo', 'eth0'], sysctls: ['kernel/panic = 0'] };
  const after = { links: ['lo', 'eth0', 'pods0'], sysctls: ['kernel/panic = 10'] };
  expect(differences(before, before)).toEqual([]);
  expect(differences(before, after)).toEqual([
    'links: new: pods0',
    'sysctls: new: kernel/panic = 10',
    'sysctls: gone: kernel/panic = 0',
  ]);
});

test('mounts of a node are told from others', () => {
  const mounts = `proc /proc proc rw 0 0
overlay /var/lib/containers/storage/overlay/x/merged overlay rw 0 0
tmpfs /tmp/tinycert-node-1-x/kubelet/pods/y tmpfs rw 0 0
nsfs /run/netns/cni-1 nsfs rw 0 0
`;
  expect(nodeMounts(mounts, 'tinycert-node')).toEqual([
    'tmpfs /tmp/tinycert-node-1-x/kubelet/pods/y tmpfs rw 0 0',
    'nsfs /run/netns/cni-1 nsfs rw 0 0',
  ]);
});

test('counters of packets are no difference', () => {
  expect(withoutCounters(':INPUT ACCEPT [12:3456]')).toBe(':INPUT ACCEPT');
  expect(withoutCounters('-A INPUT -j ACCEPT')).toBe('-A INPUT -j ACCEPT');
});
