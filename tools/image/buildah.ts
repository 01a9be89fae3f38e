import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildRequest, Engine } from './engine-types.ts';
import { outputOf, run } from './process.ts';

/**
 * Builds with buildah. Its images are in `folder` and not in the storage that all of the machine's images share, so that nothing else is
 * seen or changed.
 */
export async function buildahEngine(folder: string, probe: typeof outputOf = outputOf): Promise<Engine> {
  mkdirSync(folder, { recursive: true });
  const store = storeArgs(folder, (await canOverlay(folder, probe)) ? 'overlay' : 'vfs');
  const ask = (...args: readonly string[]): Promise<string | undefined> =>
    probe(...buildah([...store, ...args]));
  return {
    name: 'buildah',
    whereabouts: `It is in ${folder}; --archive FILE writes it to a file.`,
    async tidy() {
      // Containers are working copies of a build, and those that are there are of builds that were killed.
      await ask('rm', '--all');
      await ask('rmi', '--prune');
    },
    hasImage: async (tag) => (await ask('inspect', '--type=image', tag)) !== undefined,
    build: (request, supervision) =>
      run(...buildah([...store, ...buildArgs(request)]), {
        ...supervision,
        title: request.title,
        // Layers are written there first, and in /var/tmp by default.
        env: { ...process.env, TMPDIR: request.temporary },
        stepOf: (line) => /^(?:\[\d+\/\d+\] )?(STEP \d+\/\d+: \w+)/.exec(line)?.[1],
      }),
    save: (tag, file, supervision) =>
      run(...buildah([...store, 'push', '--quiet', tag, `oci-archive:${file}:${tag}`]), {
        ...supervision,
        title: 'Writing the archive',
      }),
  };
}

/**
 * The command for these arguments. Root gets a mount namespace of its own, so that no mount is left behind, however buildah ends; for all
 * others buildah makes one itself.
 */
function buildah(args: readonly string[]): [command: string, args: string[]] {
  return process.getuid?.() === 0 ? ['unshare', ['--mount', 'buildah', ...args]] : ['buildah', [...args]];
}

/** Which images buildah works with. */
function storeArgs(folder: string, driver: 'overlay' | 'vfs'): string[] {
  return [
    `--root=${join(folder, driver)}`,
    `--runroot=${join(folder, `${driver}-run`)}`,
    `--storage-driver=${driver}`,
  ];
}

/** Whether the folder's file system takes overlays; on an overlay itself, as in a container, it does not. */
async function canOverlay(folder: string, probe: typeof outputOf): Promise<boolean> {
  return (await probe(...buildah([...storeArgs(folder, 'overlay'), 'info']))) !== undefined;
}

/** The command line of a build, without the storage. */
export function buildArgs(request: BuildRequest): string[] {
  const { context, dockerfile, tag, platform, args, secrets, created, pull } = request;
  const epoch = String(created.getTime() / 1000);
  return [
    'bud',
    `--file=${dockerfile}`,
    `--tag=${tag}`,
    ...(platform === undefined ? [] : [`--platform=${platform}`]),
    `--pull=${pull ? 'true' : 'never'}`,
    // Neither needs more rights than the build has itself, or a network that somebody has to set up.
    '--isolation=chroot',
    '--network=host',
    '--no-cache',
    '--identity-label=false',
    `--timestamp=${epoch}`,
    ...Object.entries({ ...args, SOURCE_DATE_EPOCH: epoch }).map(
      ([name, value]) => `--build-arg=${name}=${value}`,
    ),
    ...Object.entries(secrets).map(([id, file]) => `--secret=id=${id},src=${file}`),
    context,
  ];
}
