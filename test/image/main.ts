/** `npm run image:check`: what the image contains, and how it runs. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlPlaneError, explain as explainControlPlane } from '../../tools/control-plane/index.ts';
import { startReaper } from '../../tools/control-plane/reaper.ts';
import { type Built, buildImage } from '../../tools/image/build-image.ts';
import { explain, ImageError } from '../../tools/image/errors.ts';
import { readOptions as readImageOptions } from '../../tools/image/options.ts';
import { readArchive } from '../../tools/image/inspect/archive.ts';
import { sizesOf, sizeTables } from '../../tools/image/inspect/sizes.ts';
import type { Supervision } from '../../tools/image/process.ts';
import { type Check, checksOfFiles, checksOfRuns } from './checks.ts';
import { UnpackedImage } from './container.ts';
import { type CheckOptions, HELP, readOptions } from './options.ts';
import { startsToReady } from './start-to-ready.ts';

const MOST_MS_TO_READY = 2000;

/** Exit codes: 0 all is well, 1 something is not, 2 wrong arguments. */
async function main(): Promise<number> {
  let options: CheckOptions | 'help';
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${explain(error)}\nSee --help.\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
  const folder = await mkdtemp(join(tmpdir(), 'image-check-'));
  const reaper = startReaper(folder);
  const supervision: Supervision = {
    progress,
    signal: stop.signal,
    guard: (groups) => reaper.guard(groups),
  };
  try {
    return await check(options, folder, supervision);
  } catch (error) {
    const text = error instanceof ControlPlaneError ? explainControlPlane(error) : explain(error);
    process.stderr.write(`${stop.signal.aborted ? 'Stopped.' : text}\n`);
    return 1;
  } finally {
    await reaper.close();
  }
}

async function check(options: CheckOptions, folder: string, supervision: Supervision): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new ImageError('ToolMissing', 'Only root can run the image with the owners that its files have.');
  const { archive, built, secrets } =
    options.archive === undefined
      ? await buildWithSecrets(options.standIns, folder, supervision)
      : { archive: options.archive, built: undefined, secrets: [] };
  const image = readArchive(await readFile(archive));
  const unpacked = await UnpackedImage.unpack(image, folder, supervision);
  const complaints = await complaintsOf([...checksOfFiles(image, built, secrets), ...checksOfRuns(unpacked)]);
  const times = await startsToReady(unpacked, supervision);
  const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  if (median >= MOST_MS_TO_READY)
    complaints.push(
      `It is ready after ${Math.round(median)} ms, and should be within ${MOST_MS_TO_READY} ms.`,
    );
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ complaints, msToReady: times.map(Math.round), sizes: sizesOf(image.files) })}\n`,
    );
  else
    process.stdout.write(
      `\n${sizeTables(image)}\nReady after ${Math.round(median)} ms, the median of ${times.length} starts.\n` +
        `${complaints.length === 0 ? 'All is well.' : complaints.join('\n')}\n`,
    );
  return complaints.length === 0 ? 0 : 1;
}

/** Builds the image with a token and a certificate file that must be nowhere in it. */
async function buildWithSecrets(
  standIns: boolean,
  folder: string,
  { progress, signal }: Supervision,
): Promise<{ archive: string; built: Built; secrets: string[] }> {
  const archive = join(folder, 'image.tar');
  const [token = '', certificate = ''] = [1, 2].map(() => randomBytes(20).toString('hex'));
  const own = process.env['NODE_EXTRA_CA_CERTS'];
  const authorities = join(folder, 'authorities.pem');
  const present = own === undefined ? '' : await readFile(own, 'utf8');
  await writeFile(authorities, `${present}\n# ${certificate}\n`);
  const options = readImageOptions([`--archive=${archive}`, ...(standIns ? ['--stand-ins'] : [])]);
  if (options === 'help') throw new Error('unreachable');
  const built = await buildImage(options, progress, signal, {
    ...process.env,
    NODE_EXTRA_CA_CERTS: authorities,
    'npm_config_//registry.invalid/:_authToken': token,
  });
  return { archive, built, secrets: [token, certificate] };
}

async function complaintsOf(checks: readonly Check[]): Promise<string[]> {
  const all: string[] = [];
  for (const { name, run } of checks) {
    const complaints = await run();
    progress(`${complaints.length === 0 ? 'ok' : 'WRONG'}: ${name}`);
    all.push(...complaints);
  }
  return all;
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

process.exit(await main());
