import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildControlPlane, buildHelm, buildKubectl } from './build.ts';
import { progressLine } from './go-build.ts';

let folder: string;
let target: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-plane-build-'));
  target = join(folder, 'cache', 'kubernetes');
});
afterEach(() => rm(folder, { recursive: true }));

/** A PATH on which `go` is a shell script; `$out` is the file to make, `$what` the package. */
async function fakeGo(
  build: string,
  version = 'echo go version go1.26.0',
): Promise<{ PATH: string; RECORD: string }> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const script = `#!/bin/sh
if [ "$1" = version ]; then ${version}; exit; fi
out=; what=
while [ $# -gt 0 ]; do
  [ "$1" = -o ] && out=$2
  echo "$1" >> "$RECORD"
  what=$1
  shift
done
echo "$CGO_ENABLED $GOWORK $(basename "$GOTMPDIR")" >> "$RECORD"
${build}
`;
  await writeFile(join(bin, 'go'), script);
  await chmod(join(bin, 'go'), 0o755);
  return { PATH: `${bin}:/usr/bin:/bin`, RECORD: join(folder, 'record') };
}

describe('a build', () => {
  test('puts both binaries into the cache and nothing else', async () => {
    const env = await fakeGo('echo example.com/pkg >&2; echo "$what" > "$out"');
    const lines: string[] = [];
    await buildControlPlane(target, { env, progress: (line) => lines.push(line) });
    expect((await readdir(target)).sort()).toEqual(['etcd', 'kube-apiserver']);
    expect(await readFile(join(target, 'etcd'), 'utf8')).toBe('go.etcd.io/etcd/server/v3\n');
    expect(await readdir(join(folder, 'cache'))).toEqual(['kubernetes']);
    const shown = lines.map((line) => line.replace(/ \d+ s\.$/u, ' N s.'));
    expect(shown.slice(0, 2)).toEqual([
      'Building etcd v3.7.3: N s.',
      'Building kube-apiserver v1.36.3: N s.',
    ]);
    expect(shown.slice(2).sort()).toEqual([
      'Built etcd v3.7.3 in N s.',
      'Built kube-apiserver v1.36.3 in N s.',
    ]);
  });

  test('checks sums, leaves no path of this machine in the binary, and needs no C compiler', async () => {
    const env = await fakeGo(': > "$out"');
    await buildControlPlane(target, { env });
    const record = await readFile(env.RECORD, 'utf8');
    expect(record.match(/^-mod=readonly$/gmu)).toHaveLength(2);
    expect(record.match(/^-trimpath$/gmu)).toHaveLength(2);
    expect(record.match(/^0 off tmp$/gmu)).toHaveLength(2);
    expect(record).toContain('-X k8s.io/component-base/version.gitVersion=v1.36.3');
  });

  test('of kubectl adds to the folder', async () => {
    const env = await fakeGo(': > "$out"');
    await buildControlPlane(target, { env });
    await buildKubectl(target, { env });
    expect((await readdir(target)).sort()).toEqual(['etcd', 'kube-apiserver', 'kubectl']);
  });

  test('keeps a kubectl that was there before', async () => {
    const env = await fakeGo(': > "$out"');
    await buildKubectl(target, { env });
    await buildControlPlane(target, { env });
    expect((await readdir(target)).sort()).toEqual(['etcd', 'kube-apiserver', 'kubectl']);
  });

  test('of Helm makes a folder with Helm, which knows its version and renders for the Kubernetes of the tests', async () => {
    const env = await fakeGo('echo "$what" > "$out"');
    await buildHelm(target, { env });
    expect(await readdir(target)).toEqual(['helm']);
    expect(await readFile(join(target, 'helm'), 'utf8')).toBe('helm.sh/helm/v3/cmd/helm\n');
    const record = await readFile(env.RECORD, 'utf8');
    expect(record).toContain('-X helm.sh/helm/v3/internal/version.version=v3.22.0');
    expect(record).toContain('-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36');
  });

  test('that fails halfway leaves nothing, and reports Go’s output', async () => {
    const env = await fakeGo(
      'case $what in *etcd*) : > "$out";; *) echo "x.go:1: broken" >&2; echo k8s.io/ok >&2; exit 1;; esac',
    );
    await expect(buildControlPlane(target, { env })).rejects.toMatchObject({
      code: 'BuildFailed',
      message: 'go build of kube-apiserver failed.',
      details: ['x.go:1: broken'],
    });
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });

  test('that is ended halfway ends its compilers too and leaves nothing', async () => {
    const stop = new AbortController();
    // Its child keeps standard error open: the build ends only if the child is killed too.
    const env = await fakeGo('sleep 600 & wait');
    const building = buildControlPlane(target, { env, signal: stop.signal, progress: () => stop.abort() });
    await expect(building).rejects.toThrow('aborted');
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });
});

describe('without a Go that can build it', () => {
  test('the error names the version that is needed', async () => {
    await expect(buildControlPlane(target, { env: { PATH: folder } })).rejects.toMatchObject({
      message: 'There is no "go" in PATH.',
      details: ['Go 1.26 or newer is needed.'],
    });
  });

  test('the error repeats the version of an old one', async () => {
    const env = await fakeGo(
      'exit 1',
      'echo "go: go.mod requires go >= 1.26.0 (running go 1.20)" >&2; exit 1',
    );
    await expect(buildControlPlane(target, { env })).rejects.toMatchObject({
      message: 'The Go in PATH cannot build the pinned modules.',
      details: ['Go 1.26 or newer is needed.', 'go: go.mod requires go >= 1.26.0 (running go 1.20)'],
    });
  });
});

test.each([
  [{ seconds: 0, downloaded: 0, compiled: 0 }, 'Building etcd v1: 0 s.'],
  [{ seconds: 10, downloaded: 4, compiled: 0 }, 'Building etcd v1: 10 s, 4 modules fetched.'],
  [
    { seconds: 20, downloaded: 4, compiled: 31 },
    'Building etcd v1: 20 s, 4 modules fetched, 31 packages compiled.',
  ],
])('progress %o reads: %s', (state, want) => {
  expect(progressLine({ name: 'etcd', version: 'v1' }, state)).toBe(want);
});
