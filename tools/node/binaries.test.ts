import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureNodeBinaries, ensureTraefik } from './binaries.ts';

let folder: string;
let env: Record<string, string>;

/** A `go` that makes each program of its package's name, and records its arguments. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'node-binaries-'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const script = `#!/bin/sh
[ "$1" = version ] && exit
echo "$@" >> "$RECORD"
while [ $# -gt 0 ]; do
  [ "$1" = -o ] && out=$2
  what=$1
  shift
done
echo "$what" > "$out"
chmod 755 "$out"
`;
  await writeFile(join(bin, 'go'), script);
  await chmod(join(bin, 'go'), 0o755);
  env = {
    PATH: `${bin}:/usr/bin:/bin`,
    RECORD: join(folder, 'record'),
    XDG_CACHE_HOME: join(folder, 'cache'),
  };
});
afterEach(() => rm(folder, { recursive: true }));

test('all programs of a node are built once, containerd without what needs C libraries', async () => {
  const lines: string[] = [];
  const binaries = await ensureNodeBinaries({ env, progress: (line) => lines.push(line) });
  expect(lines.filter((line) => line.startsWith('Built ')).length).toBe(Object.keys(binaries).length);
  expect(await readFile(binaries.kubelet, 'utf8')).toBe('k8s.io/kubernetes/cmd/kubelet\n');
  const builds = (await readFile(join(folder, 'record'), 'utf8')).trim().split('\n');
  expect(builds.filter((line) => line.includes('containerd'))).toEqual(
    Array.from({ length: 3 }, () => expect.stringContaining('-tags no_btrfs,no_devmapper,no_zfs')),
  );
  expect(await ensureNodeBinaries({ env })).toEqual(binaries);
  expect((await readFile(join(folder, 'record'), 'utf8')).trim().split('\n')).toEqual(builds);
});

test('only what is missing is built', async () => {
  const { kubelet } = await ensureNodeBinaries({ env });
  await rm(kubelet);
  await rm(join(folder, 'record'));
  await ensureNodeBinaries({ env });
  expect((await readFile(join(folder, 'record'), 'utf8')).trim().split('\n')).toEqual([
    expect.stringContaining('cmd/kubelet'),
  ]);
});

test('Traefik has a folder of its own, since a node does not need it', async () => {
  await ensureTraefik({ env });
  await ensureNodeBinaries({ env });
  const cache = await readdir(join(folder, 'cache', 'tinycert-operator', 'control-plane'));
  expect(new Set(cache.map((name) => name.split('-')[0]))).toEqual(new Set(['node', 'traefik']));
});
