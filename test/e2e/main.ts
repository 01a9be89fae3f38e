/** `npm run e2e`: makes a cluster, installs the operator in it, tests it as a whole, and takes all down again. */
import { explain } from '../../tools/control-plane/index.ts';
import { HELP, OptionError, type Options, parseOptions } from './options.ts';
import { exitCodeOf, lineOf } from './result.ts';
import { runEverything } from './everything.ts';

const startedAt = performance.now();

function progress(line: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`);
}

async function main(): Promise<number> {
  let options: Options | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    process.stderr.write(`${error.message} Try --help.\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
  try {
    const result = await runEverything(options, progress, stop.signal);
    if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    else process.stdout.write(`${result.tests.map(lineOf).join('\n')}\n`);
    return stop.signal.aborted ? 130 : exitCodeOf(result.tests);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    process.stderr.write(`${explain(error)}\n`);
    return 1;
  }
}

process.exit(await main());
