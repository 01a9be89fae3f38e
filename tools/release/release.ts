import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BILL_OF_MATERIALS, buildOperator, NOTICES } from '../build/operator-bundle.ts';
import { textOf } from '../chart/objects.ts';
import { plain } from '../chart/manifests.ts';
import { CHART, runHelm } from '../chart/render.ts';
import { ensureHelm } from '../control-plane/index.ts';
import { GO_VERSION, HELM_VERSION, platform } from '../control-plane/versions.ts';
import { buildImage } from '../image/build-image.ts';
import { type Facts, factsOf } from '../image/facts.ts';
import { readOptions as readImageOptions } from '../image/options.ts';
import { OptionError, type ReleaseOptions } from './options.ts';
import { type Artifact, provenance, sums } from './provenance.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NAME = 'tinycert-operator';
const SUMS = 'SHA256SUMS';

/** Makes all files of a release in the folder, which appears once they are complete, and returns their names. */
export async function makeRelease(
  options: ReleaseOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<string[]> {
  const { folder } = options;
  await assertReplaceable(folder);
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    await makeFiles(unfinished, options, progress, signal);
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return (await readdir(folder)).toSorted();
}

/** Refuses a folder with something else in it than an earlier release, since what is there is removed. @throws OptionError. */
export async function assertReplaceable(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new OptionError(`--out: ${folder} is no folder.`);
  });
  if (names.length > 0 && !names.includes(SUMS))
    throw new OptionError(
      `--out: ${folder} has other files than a release's: name a new folder, or empty it.`,
    );
}

async function makeFiles(
  folder: string,
  options: ReleaseOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const startedOn = new Date();
  const facts = await factsOf();
  const named = (what: string): string => join(folder, `${NAME}-${facts.version}${what}`);

  progress('Building the bundle.');
  // The bill of materials bears this time, wherever the build runs.
  process.env['SOURCE_DATE_EPOCH'] = String(facts.created.getTime() / 1000);
  const bundle = join(folder, '.bundle');
  await buildOperator(bundle, false);
  await copyFile(join(ROOT, 'LICENSE'), join(bundle, 'LICENSE'));
  await pack(bundle, facts, named('-bundle.tar.gz'));
  await rename(join(bundle, BILL_OF_MATERIALS), named('.spdx.json'));
  await rename(join(bundle, NOTICES), named('-third-party-licenses.txt'));
  await rm(bundle, { recursive: true });

  const image = named(`-image-${platform()}.tar`);
  const { base, builder, engine } = await buildImage(imageOptions(options, image), progress, signal);

  const helm = await ensureHelm({ progress, signal });
  progress('Packing the chart, and rendering install.yaml.');
  await runHelm(helm, ['package', CHART, `--destination=${folder}`]);
  const values = options.imageDigest === undefined ? {} : { image: { digest: options.imageDigest } };
  await writeFile(
    join(folder, 'install.yaml'),
    `# ${NAME} ${facts.version}: kubectl apply --server-side -f install.yaml\n${textOf(await plain(helm, values))}`,
  );

  const artifacts = await artifactsOf(folder);
  const tools = { node: process.versions.node, helm: HELM_VERSION, go: GO_VERSION, [engine]: 'as installed' };
  const record = { facts, base, builder, tools, startedOn, finishedOn: new Date() };
  const statement = named('.provenance-unsigned.intoto.json');
  await writeFile(statement, `${JSON.stringify(provenance(artifacts, record), null, 2)}\n`);
  await writeFile(join(folder, SUMS), sums(await artifactsOf(folder)));
}

function imageOptions({ standIns, base, builder }: ReleaseOptions, archive: string) {
  const args = [
    `--archive=${archive}`,
    ...(standIns ? ['--stand-ins'] : []),
    ...(base === undefined ? [] : [`--base=${base}`]),
    ...(builder === undefined ? [] : [`--builder=${builder}`]),
  ];
  const options = readImageOptions(args);
  if (options === 'help') throw new Error('unreachable');
  return options;
}

/** Packs a folder so that the same files make the same archive. */
async function pack(folder: string, { created }: Facts, archive: string): Promise<void> {
  const seconds = created.getTime() / 1000;
  await promisify(execFile)('tar', [
    '--create',
    '--sort=name',
    `--mtime=@${seconds}`,
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--use-compress-program=gzip --no-name --best',
    `--directory=${folder}`,
    `--file=${archive}`,
    '.',
  ]);
}

async function artifactsOf(folder: string): Promise<Artifact[]> {
  const names = (await readdir(folder)).toSorted();
  return Promise.all(names.map(async (name) => ({ name, sha256: await sha256(join(folder, name)) })));
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
