/** `npm run release -- --dry-run`: the files of a release. */
import { ControlPlaneError, explain as explainControlPlane } from '../control-plane/index.ts';
import { explain } from '../image/errors.ts';
import { HELP, OptionError, readOptions, type ReleaseOptions } from './options.ts';
import { makeRelease } from './release.ts';

/** Exit codes: 0 made, 1 failed or interrupted, 2 wrong arguments. */
async function main(): Promise<number> {
  let options: ReleaseOptions | 'help';
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    process.stderr.write(`${error.message}\nSee --help.\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
  try {
    const files = await makeRelease(options, progress, stop.signal);
    process.stdout.write(
      `${options.folder} has\n${files.map((file) => `  ${file}\n`).join('')}Nothing is published.\n`,
    );
    return 0;
  } catch (error) {
    const text = error instanceof ControlPlaneError ? explainControlPlane(error) : explain(error);
    process.stderr.write(`${stop.signal.aborted ? 'Stopped.' : text}\n`);
    return 1;
  }
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

process.exit(await main());
