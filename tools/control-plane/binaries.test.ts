import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureBinaries, type Suppliers } from './binaries.ts';
import { ControlPlaneError } from './errors.ts';
import { builtFolder, cacheRoot, downloadedFolder } from './folders.ts';

let folder: string;
let env: { XDG_CACHE_HOME: string; KUBEBUILDER_ASSETS?: string };
let calls: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-plane-binaries-'));
  env = { XDG_CACHE_HOME: folder };
  calls = [];
});
afterEach(() => rm(folder, { recursive: true }));

async function fill(target: string, ...names: string[]): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const name of names) {
    await writeFile(join(target, name), '');
    await chmod(join(target, name), 0o755);
  }
}

const BOTH = ['etcd', 'kube-apiserver'];
const fail = (message: string) => (): Promise<never> =>
  Promise.reject(new ControlPlaneError('BuildFailed', message, ['why']));

/** Suppliers that record their calls and make empty files. */
function suppliers(changes: Partial<Suppliers> = {}): Suppliers {
  const noted =
    (name: string, step: (target: string, options: object) => Promise<void>) =>
    async (target: string): Promise<void> => {
      calls.push(name);
      await step(target, {});
    };
  return {
    download: noted('download', changes.download ?? ((target) => fill(target, ...BOTH, 'kubectl'))),
    build: noted('build', changes.build ?? ((target) => fill(target, ...BOTH))),
    buildKubectl: noted('kubectl', changes.buildKubectl ?? ((target) => fill(target, 'kubectl'))),
    version: () => Promise.resolve('Kubernetes v1.36.3'),
  };
}

describe('binaries are looked for', () => {
  test('first in KUBEBUILDER_ASSETS, even if the cache is full', async () => {
    const assets = join(folder, 'assets');
    await fill(assets, ...BOTH);
    await fill(builtFolder(cacheRoot(env)), ...BOTH);
    env.KUBEBUILDER_ASSETS = assets;
    expect(await ensureBinaries({ env }, suppliers())).toEqual({
      etcd: join(assets, 'etcd'),
      kubeApiserver: join(assets, 'kube-apiserver'),
      version: 'Kubernetes v1.36.3',
      source: 'KUBEBUILDER_ASSETS',
    });
    expect(calls).toEqual([]);
  });

  test('then in the cache, with built ones before fetched ones', async () => {
    await fill(downloadedFolder(cacheRoot(env)), ...BOTH);
    const fetched = await ensureBinaries({ env }, suppliers());
    await fill(builtFolder(cacheRoot(env)), ...BOTH);
    const built = await ensureBinaries({ env }, suppliers());
    expect([fetched.source, fetched.etcd]).toEqual(['cache', join(downloadedFolder(cacheRoot(env)), 'etcd')]);
    expect([built.source, built.etcd]).toEqual(['cache', join(builtFolder(cacheRoot(env)), 'etcd')]);
    expect(calls).toEqual([]);
  });

  test('then on the network, once', async () => {
    expect((await ensureBinaries({ env }, suppliers())).source).toBe('download');
    expect((await ensureBinaries({ env }, suppliers())).source).toBe('cache');
    expect(calls).toEqual(['download']);
  });

  test('and are built if the network has none, which is reported', async () => {
    const lines: string[] = [];
    const found = await ensureBinaries(
      { env, progress: (line) => lines.push(line) },
      suppliers({ download: fail('No route.') }),
    );
    expect(found.source).toBe('build');
    expect(found.etcd).toBe(join(builtFolder(cacheRoot(env)), 'etcd'));
    expect(calls).toEqual(['download', 'build']);
    expect(lines).toEqual(['No envtest archive (why). Building from the Go modules instead.']);
  });

  test('by two processes at once with one build', async () => {
    const shared = suppliers({ download: fail('No route.') });
    const both = await Promise.all([ensureBinaries({ env }, shared), ensureBinaries({ env }, shared)]);
    expect(both.map(({ source }) => source).sort()).toEqual(['build', 'cache']);
    expect(calls).toEqual(['download', 'build']);
  });
});

describe('a folder', () => {
  test('in KUBEBUILDER_ASSETS that lacks a binary is an error, and nothing else is tried', async () => {
    env.KUBEBUILDER_ASSETS = join(folder, 'assets');
    await fill(env.KUBEBUILDER_ASSETS, 'etcd');
    await expect(ensureBinaries({ env }, suppliers())).rejects.toMatchObject({
      code: 'AssetsIncomplete',
      details: [expect.stringContaining('lacks kube-apiserver'), expect.any(String)],
    });
    expect(calls).toEqual([]);
  });

  test('of the cache that lacks a binary is not used', async () => {
    await fill(builtFolder(cacheRoot(env)), 'etcd');
    expect((await ensureBinaries({ env }, suppliers())).source).toBe('download');
  });
});

describe('kubectl', () => {
  test('is built only if requested, and only once', async () => {
    await fill(builtFolder(cacheRoot(env)), ...BOTH);
    expect((await ensureBinaries({ env }, suppliers())).kubectl).toBeUndefined();
    const want = join(builtFolder(cacheRoot(env)), 'kubectl');
    expect((await ensureBinaries({ env, kubectl: true }, suppliers())).kubectl).toBe(want);
    expect((await ensureBinaries({ env, kubectl: true }, suppliers())).kubectl).toBe(want);
    expect(calls).toEqual(['kubectl']);
  });

  test('is taken from beside the others', async () => {
    env.KUBEBUILDER_ASSETS = join(folder, 'assets');
    await fill(env.KUBEBUILDER_ASSETS, ...BOTH, 'kubectl');
    const { kubectl } = await ensureBinaries({ env, kubectl: true }, suppliers());
    expect(kubectl).toBe(join(folder, 'assets', 'kubectl'));
  });

  test('is built in one run with the others', async () => {
    const found = await ensureBinaries({ env, kubectl: true }, suppliers({ download: fail('No route.') }));
    expect(found.kubectl).toBe(join(builtFolder(cacheRoot(env)), 'kubectl'));
    expect(calls).toEqual(['download', 'build', 'kubectl']);
  });
});

test('the error names kubectl if only kubectl cannot be built', async () => {
  await fill(builtFolder(cacheRoot(env)), ...BOTH);
  await expect(
    ensureBinaries({ env, kubectl: true }, suppliers({ buildKubectl: fail('There is no "go" in PATH.') })),
  ).rejects.toMatchObject({
    code: 'BinariesMissing',
    message: expect.stringContaining('kubectl') as unknown,
    cause: { message: 'There is no "go" in PATH.' },
  });
});

test('if nothing works, the error names what is missing and what to do', async () => {
  const error = await ensureBinaries(
    { env },
    suppliers({ download: fail('No route.'), build: fail('There is no "go" in PATH.') }),
  ).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'BinariesMissing' });
  const text = (error as ControlPlaneError).details.join('\n');
  for (const part of [
    'No route.',
    'There is no "go" in PATH.',
    'install Go 1.26',
    'set KUBEBUILDER_ASSETS',
  ]) {
    expect(text).toContain(part);
  }
});
