import { expect, test } from 'vitest';
import { cgroupFolders } from './cgroups.ts';

test('of version 2', () => {
  const mounts = 'proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n';
  expect(cgroupFolders(mounts, 'node-1')).toEqual(['/sys/fs/cgroup/node-1']);
});

test('of version 1, beside a hierarchy of version 2', () => {
  const mounts = `tmpfs /sys/fs/cgroup tmpfs rw,mode=755 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
`;
  expect(cgroupFolders(mounts, 'node-1')).toEqual([
    '/sys/fs/cgroup/cpu,cpuacct/node-1',
    '/sys/fs/cgroup/memory/node-1',
    '/sys/fs/cgroup/unified/node-1',
  ]);
});
