import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { clip } from '../../src/lib/errors.ts';
import { buildControlPlane, buildKubectl } from './build.ts';
import { downloadEnvtest } from './download.ts';
import { ControlPlaneError, explain } from './errors.ts';
import { isExecutable } from './executable.ts';
import { builtFolder, cacheRoot, downloadedFolder, type Environment } from './folders.ts';
import { withLock } from './lock.ts';
import { ETCD_VERSION, ENVTEST_VERSION, GO_VERSION, KUBERNETES_VERSION, platform } from './versions.ts';

export interface Binaries {
  etcd: string;
  kubeApiserver: string;
  /** Set if it was requested, or is beside the others anyway. */
  kubectl?: string;
  /** The output of `kube-apiserver --version`, such as 'Kubernetes v1.36.3'. */
  version: string;
  source: 'KUBEBUILDER_ASSETS' | 'cache' | 'download' | 'build';
}

export interface BinaryOptions {
  /** Find or build kubectl too. */
  kubectl?: boolean;
  /** Called with one line of text at a time. */
  progress?: (line: string) => void;
  /** Used instead of process.env. */
  env?: Environment;
  signal?: AbortSignal;
}

/** The steps that reach outside, which a test can replace. */
export interface Suppliers {
  download: typeof downloadEnvtest;
  build: typeof buildControlPlane;
  buildKubectl: typeof buildKubectl;
  version: (kubeApiserver: string) => Promise<string>;
}

const SUPPLIERS: Suppliers = {
  download: downloadEnvtest,
  build: buildControlPlane,
  buildKubectl,
  version: versionOf,
};

/**
 * Finds etcd and kube-apiserver, in this order: `KUBEBUILDER_ASSETS`; the cache folder; the envtest archive (checked by its
 * published sum); a build from the pinned Go modules. The last two fill the cache. @throws ControlPlaneError
 * `AssetsIncomplete`, or `BinariesMissing` with what to do in `details`.
 */
export async function ensureBinaries(
  options: BinaryOptions = {},
  suppliers: Suppliers = SUPPLIERS,
): Promise<Binaries> {
  const env = options.env ?? process.env;
  const assets = env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && assets !== '') return fromAssets(resolve(assets), options, suppliers);

  const root = cacheRoot(env);
  const cached = await fromCache(root);
  if (cached !== undefined) {
    return finish(cached, 'cache', options, suppliers);
  }
  return withLock(root, 'binaries', options, async () => {
    // Another process may have filled the cache while this one waited.
    const now = await fromCache(root);
    return now === undefined
      ? supply(root, env, options, suppliers)
      : finish(now, 'cache', options, suppliers, true);
  });
}

async function fromAssets(folder: string, options: BinaryOptions, suppliers: Suppliers): Promise<Binaries> {
  const missing: string[] = [];
  for (const name of ['etcd', 'kube-apiserver']) {
    if (!(await isExecutable(join(folder, name)))) missing.push(name);
  }
  if (missing.length > 0) {
    throw new ControlPlaneError(
      'AssetsIncomplete',
      'KUBEBUILDER_ASSETS names a folder without the binaries.',
      [`${folder} lacks ${missing.join(' and ')}.`, 'Point it to a folder that holds both, or unset it.'],
    );
  }
  return finish(folder, 'KUBEBUILDER_ASSETS', options, suppliers);
}

async function fromCache(root: string): Promise<string | undefined> {
  for (const folder of [builtFolder(root), downloadedFolder(root)]) {
    if ((await isExecutable(join(folder, 'etcd'))) && (await isExecutable(join(folder, 'kube-apiserver')))) {
      return folder;
    }
  }
  return undefined;
}

async function supply(
  root: string,
  env: Environment,
  options: BinaryOptions,
  suppliers: Suppliers,
): Promise<Binaries> {
  let failedDownload: unknown;
  try {
    const folder = downloadedFolder(root);
    await suppliers.download(folder, options);
    return await finish(folder, 'download', options, suppliers, true);
  } catch (error) {
    options.signal?.throwIfAborted();
    failedDownload = error;
    const reason = explain(error).split('\n').at(-1)?.trim() ?? '';
    options.progress?.(`No envtest archive (${clip(reason)}). Building from the Go modules instead.`);
  }
  try {
    const folder = builtFolder(root);
    await suppliers.build(folder, { ...options, env });
    return await finish(folder, 'build', options, suppliers, true);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new ControlPlaneError(
      'BinariesMissing',
      'There is no control plane: kube-apiserver and etcd were neither found nor made.',
      missingAdvice(root, explain(failedDownload), explain(error)),
    );
  }
}

/** What a person can do if binaries are missing. */
function missingAdvice(root: string, download: string, build: string): string[] {
  return [
    `Looked in: KUBEBUILDER_ASSETS (not set); ${root} (nothing that fits).`,
    `Download of envtest ${ENVTEST_VERSION} for ${platform()}:`,
    ...indent(download),
    `Build of Kubernetes ${KUBERNETES_VERSION} and etcd ${ETCD_VERSION}:`,
    ...indent(build),
    'Do one of these:',
    `- install Go ${GO_VERSION} or newer (https://go.dev/dl), with a module proxy in reach, and run this again;`,
    '- set KUBEBUILDER_ASSETS to a folder that holds etcd and kube-apiserver,',
    '  for example what "setup-envtest use 1.36 -p path" prints.',
  ];
}

function indent(text: string): string[] {
  return text.split('\n').map((line) => `  ${line}`);
}

async function finish(
  folder: string,
  source: Binaries['source'],
  options: BinaryOptions,
  suppliers: Suppliers,
  locked = false,
): Promise<Binaries> {
  const kubeApiserver = join(folder, 'kube-apiserver');
  const kubectl = await kubectlFor(folder, options, suppliers, locked);
  return {
    etcd: join(folder, 'etcd'),
    kubeApiserver,
    ...(kubectl === undefined ? {} : { kubectl }),
    version: await suppliers.version(kubeApiserver),
    source,
  };
}

/** kubectl from beside the others, from the cache, or built into the cache if requested. */
async function kubectlFor(
  folder: string,
  options: BinaryOptions,
  suppliers: Suppliers,
  locked: boolean,
): Promise<string | undefined> {
  const root = cacheRoot(options.env ?? process.env);
  const beside = join(folder, 'kubectl');
  if (await isExecutable(beside)) return beside;
  if (options.kubectl !== true) return undefined;
  const cached = join(builtFolder(root), 'kubectl');
  if (await isExecutable(cached)) return cached;
  const make = async (): Promise<void> => {
    if (await isExecutable(cached)) return;
    try {
      await suppliers.buildKubectl(builtFolder(root), options);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw new ControlPlaneError(
        'BinariesMissing',
        'kubectl was neither found beside kube-apiserver nor built.',
        [beside],
        { cause: error },
      );
    }
  };
  await (locked ? make() : withLock(root, 'binaries', options, make));
  return cached;
}

async function versionOf(kubeApiserver: string): Promise<string> {
  const { stdout } = await promisify(execFile)(kubeApiserver, ['--version']);
  return stdout.trim();
}
