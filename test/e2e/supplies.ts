import { execFile, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensureBinaries, ensureHelm } from '../../tools/control-plane/index.ts';
import { ensureNodeBinaries, ensureTraefik } from '../../tools/node/binaries.ts';
import { writeImageArchive } from '../../tools/node/oci-archive.ts';
import { run } from '../../tools/node/run.ts';
import { PAUSE_IMAGE, TRAEFIK_IMAGE } from '../../tools/node/versions.ts';
import type { Findings } from './findings.ts';
import { OPERATOR_IMAGE } from './image-name.ts';
import type { Options } from './options.ts';
import type { Supplies } from './world/world.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Builds or finds everything that the cluster and the tests need. Nothing is fetched or built later. */
export async function gather(
  options: Options,
  cluster: 'kind' | 'node',
  folder: string,
  findings: Findings,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<Supplies> {
  const build = { progress, signal };
  const kubectl = await findings.measure('build etcd, kube-apiserver and kubectl', async () => {
    const binaries = await ensureBinaries({ ...build, kubectl: true });
    return binaries.kubectl ?? '';
  });
  const helm = await findings.measure('build Helm', () => ensureHelm(build));
  const pause =
    cluster === 'kind'
      ? undefined
      : await findings.measure('build the node', () => ensureNodeBinaries(build));
  const traefik = await findings.measure('build Traefik', () => ensureTraefik(build));
  const archive = (name: string): string => join(folder, `${name}.tar`);
  return findings.measure('images', async () => {
    if (pause !== undefined) {
      const files = { pause: pause.pause };
      await writeImageArchive(archive('pause'), {
        name: PAUSE_IMAGE,
        files,
        entrypoint: ['/pause'],
        user: '65532:65532',
      });
    }
    await writeImageArchive(archive('traefik'), {
      name: TRAEFIK_IMAGE,
      files: { traefik },
      entrypoint: ['/traefik'],
      user: '65532:65532',
    });
    const operatorArchive = options.image === undefined ? archive('operator') : resolve(options.image);
    if (options.image === undefined) await buildImage(cluster, operatorArchive, progress, signal);
    const previousChart = await chartOf(options.upgradeFrom, folder);
    return {
      kubectl,
      helm,
      pauseArchive: archive('pause'),
      traefikArchive: archive('traefik'),
      operatorArchive,
      ...(previousChart === undefined ? {} : { previousChart }),
    };
  });
}

/** Builds the operator's image under the name that the chart has. Without Docker its base images are built from packages too. */
async function buildImage(
  cluster: 'kind' | 'node',
  file: string,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const args = [
    'run',
    '--silent',
    'image',
    '--',
    `--archive=${file}`,
    `--tag=${OPERATOR_IMAGE}`,
    ...(cluster === 'kind' ? [] : ['--stand-ins']),
  ];
  const child = spawn('npm', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], signal });
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', progress);
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  if (code !== 0)
    throw new Error('The operator’s image was not built; see above. --image FILE uses one that is there.');
}

/** The chart as it was in a revision, by default that of the last tag; undefined if there is no tag. */
async function chartOf(revision: string | undefined, folder: string): Promise<string | undefined> {
  const git = promisify(execFile);
  const lastTag = async (): Promise<string | undefined> =>
    git('git', ['describe', '--tags', '--abbrev=0'], { cwd: ROOT }).then(
      ({ stdout }) => stdout.trim(),
      () => undefined,
    );
  const from = revision ?? (await lastTag());
  if (from === undefined) return undefined;
  const target = join(folder, 'previous');
  await mkdir(target);
  const tar = join(folder, 'previous.tar');
  await run('git', ['archive', `--output=${tar}`, from, 'deploy/helm'], { cwd: ROOT });
  await run('tar', ['--extract', `--file=${tar}`, `--directory=${target}`]);
  return join(target, 'deploy', 'helm');
}
