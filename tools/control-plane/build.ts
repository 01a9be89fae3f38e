import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ControlPlaneError } from './errors.ts';
import type { Environment } from './folders.ts';
import { goBuild, type GoBuildOptions, type GoTarget } from './go-build.ts';
import { startReaper } from './reaper.ts';
import {
  ACTIONLINT_VERSION,
  ETCD_VERSION,
  GO_VERSION,
  HELM_VERSION,
  KUBERNETES_VERSION,
} from './versions.ts';

export interface BuildOptions {
  progress?: (line: string) => void;
  env?: Environment;
  signal?: AbortSignal;
}

const MODULES = join(import.meta.dirname, 'modules');
const TEMPORARY = '.build-';
const [KUBERNETES_MAJOR = '', KUBERNETES_MINOR = ''] = KUBERNETES_VERSION.slice(1).split('.');

const ETCD: GoTarget = {
  name: 'etcd',
  version: ETCD_VERSION,
  module: join(MODULES, 'etcd'),
  package: 'go.etcd.io/etcd/server/v3',
  ldflags: '-s -w',
};

const HELM: GoTarget = {
  name: 'helm',
  version: HELM_VERSION,
  module: join(MODULES, 'helm'),
  package: 'helm.sh/helm/v3/cmd/helm',
  // As in Helm's own releases. The last ones are the Kubernetes that it renders and lints for without a cluster.
  ldflags: linkerFlags('helm.sh/helm/v3', {
    'internal/version.version': HELM_VERSION,
    'pkg/chartutil.k8sVersionMajor': KUBERNETES_MAJOR,
    'pkg/chartutil.k8sVersionMinor': KUBERNETES_MINOR,
    'pkg/lint/rules.k8sVersionMajor': KUBERNETES_MAJOR,
    'pkg/lint/rules.k8sVersionMinor': KUBERNETES_MINOR,
  }),
};

const ACTIONLINT: GoTarget = {
  name: 'actionlint',
  version: ACTIONLINT_VERSION,
  module: join(MODULES, 'actionlint'),
  package: 'github.com/rhysd/actionlint/cmd/actionlint',
  ldflags: '-s -w',
};

const KUBE_APISERVER = kubernetesTarget('kube-apiserver');
const KUBECTL = kubernetesTarget('kubectl');

/** A command of Kubernetes' own module. */
export function kubernetesTarget(name: string): GoTarget {
  return {
    name,
    version: KUBERNETES_VERSION,
    module: join(MODULES, 'kubernetes'),
    package: `k8s.io/kubernetes/cmd/${name}`,
    ldflags: linkerFlags('k8s.io/component-base', {
      'version.gitVersion': KUBERNETES_VERSION,
      'version.gitMajor': KUBERNETES_MAJOR,
      'version.gitMinor': KUBERNETES_MINOR,
    }),
  };
}

/** Flags that leave out symbols, and set variables of a module. */
export function linkerFlags(module: string, variables: Readonly<Record<string, string>>): string {
  return ['-s -w', ...Object.entries(variables).map(([name, value]) => `-X ${module}/${name}=${value}`)].join(
    ' ',
  );
}

/** Builds etcd and kube-apiserver into `folder`, which appears only once both are complete. */
export async function buildControlPlane(folder: string, options: BuildOptions): Promise<void> {
  await inTemporaryFolder(folder, options, async (out, go) => {
    // One after the other: in parallel each would compile the packages that both use.
    await goBuild([ETCD, KUBE_APISERVER], out, go);
    try {
      await rename(out, folder);
    } catch (error) {
      // The folder has only kubectl, or another machine filled it meanwhile.
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      for (const name of await readdir(out)) await rename(join(out, name), join(folder, name));
    }
  });
}

/** Builds kubectl into `folder`, beside its other files. */
export function buildKubectl(folder: string, options: BuildOptions): Promise<void> {
  return buildBeside(KUBECTL, folder, options);
}

/** Builds Helm into `folder`. */
export function buildHelm(folder: string, options: BuildOptions): Promise<void> {
  return buildBeside(HELM, folder, options);
}

/** Builds actionlint into `folder`. */
export function buildActionlint(folder: string, options: BuildOptions): Promise<void> {
  return buildBeside(ACTIONLINT, folder, options);
}

/** Builds one command into `folder`, beside its other files. */
export function buildBeside(target: GoTarget, folder: string, options: BuildOptions): Promise<void> {
  return inTemporaryFolder(folder, options, async (out, go) => {
    await goBuild([target], out, go);
    await mkdir(folder, { recursive: true });
    await rename(join(out, target.name), join(folder, target.name));
  });
}

/** Runs `work` with an empty folder on the same file system as `folder`, and removes it afterwards, even after a SIGKILL. */
async function inTemporaryFolder(
  folder: string,
  options: BuildOptions,
  work: (out: string, go: GoBuildOptions) => Promise<void>,
): Promise<void> {
  const env = { ...(options.env ?? process.env) };
  await requireGo(env);
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  const temporary = await mkdtemp(join(parent, TEMPORARY));
  const reaper = startReaper(temporary);
  try {
    const out = join(temporary, 'bin');
    const goTemporary = join(temporary, 'tmp');
    await Promise.all([mkdir(out), mkdir(goTemporary)]);
    await work(out, {
      ...options,
      env: { ...env, GOTMPDIR: goTemporary },
      guard: (groups) => reaper.guard(groups),
    });
  } finally {
    await reaper.close();
  }
}

/** @throws ControlPlaneError that names the Go that is needed. */
async function requireGo(env: Environment): Promise<void> {
  try {
    // In the module's folder an older Go fetches the one that is needed, or reports that GOTOOLCHAIN forbids it.
    await promisify(execFile)('go', ['version'], { cwd: join(MODULES, 'kubernetes'), env: { ...env } });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ControlPlaneError(
      'BuildFailed',
      missing ? 'There is no "go" in PATH.' : 'The Go in PATH cannot build the pinned modules.',
      [`Go ${GO_VERSION} or newer is needed.`, ...(missing ? [] : lastLines(error))],
    );
  }
}

function lastLines(error: unknown): string[] {
  const stderr = (error as { stderr?: unknown }).stderr;
  return typeof stderr === 'string' ? stderr.trim().split('\n').slice(-5) : [];
}
