import { buildahEngine } from './buildah.ts';
import { dockerEngine } from './docker.ts';
import type { Engine } from './engine-types.ts';
import { ImageError } from './errors.ts';
import { outputOf } from './process.ts';

/** Docker if its engine answers, else buildah with a storage in `folder`. @throws ImageError `NoEngine` with what to install. */
export async function findEngine(folder: string, probe: typeof outputOf = outputOf): Promise<Engine> {
  // The client is often there without an engine, and prints its own part then; only the engine has a version to give.
  const server = await probe('docker', ['info', '--format', '{{.ServerVersion}}']);
  if (server !== undefined && server !== '') return dockerEngine();
  if ((await probe('buildah', ['--version'])) !== undefined) return buildahEngine(folder, probe);
  throw new ImageError(
    'NoEngine',
    'There is nothing that builds images: docker info does not answer, and there is no buildah.',
    ['Start Docker, or install buildah (on Debian: apt-get install buildah).'],
  );
}
