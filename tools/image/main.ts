/** `npm run image`: builds the operator's image. */
import { buildImage } from './build-image.ts';
import { explain } from './errors.ts';
import { HELP, type ImageOptions, readOptions } from './options.ts';

/** Exit codes: 0 built, 1 failed or interrupted, 2 wrong arguments. */
async function main(): Promise<number> {
  let options: ImageOptions | 'help';
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
  const startedAt = performance.now();
  try {
    const { tag, engine, whereabouts } = await buildImage(options, progress, stop.signal);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    process.stdout.write(`Built ${tag} with ${engine} in ${seconds} s. ${whereabouts}\n`);
    if (options.archive !== undefined) process.stdout.write(`The archive is ${options.archive}.\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${stop.signal.aborted ? 'Stopped.' : explain(error)}\n`);
    return 1;
  }
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

process.exit(await main());
