/** A cgroup's folders: one in each hierarchy of version 1, or the only one of version 2. `mounts` is the text of /proc/mounts. */
export function cgroupFolders(mounts: string, name: string): string[] {
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, mountPoint]) => `${mountPoint}/${name}`);
}
