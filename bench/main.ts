/** `npm run bench`: measures the operator against the floors, interleaved, or through an outage. README.md explains the figures. */
import { explain } from '../tools/control-plane/index.ts';
import { runBench } from './bench.ts';
import { BenchError } from './errors.ts';
import { serveFloor } from './floor/floor.ts';
import { FLOOR_ARGUMENT } from './floor/floor-process.ts';
import { type BenchOptions, HELP, OptionError, type OutageOptions, readOptions } from './options.ts';
import { outageTable, summarizeOutage } from './report/outage-report.ts';
import { runOutage } from './outage.ts';
import { summarize } from './report/summary.ts';
import { table } from './report/table.ts';

/** Exit codes: 0 measured, 1 failed or interrupted, 2 wrong arguments. */
async function main(): Promise<number> {
  let options: BenchOptions | OutageOptions | 'help';
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
    process.stdout.write(`${await measure(options, stop.signal)}\n`);
    return 0;
  } catch (error) {
    const details = error instanceof BenchError ? error.details.map((line) => `\n  ${line}`).join('') : '';
    process.stderr.write(`${stop.signal.aborted ? 'Stopped.' : explain(error) + details}\n`);
    return 1;
  }
}

/** What goes to standard output. */
async function measure(options: BenchOptions | OutageOptions, signal: AbortSignal): Promise<string> {
  if ('rounds' in options) {
    const rounds = await runOutage(options, progress, signal);
    return options.json ? JSON.stringify(summarizeOutage(rounds)) : outageTable(rounds);
  }
  const measured = await runBench(options, progress, signal);
  return options.json ? JSON.stringify(summarize(measured)) : table(measured);
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

if (process.argv[2] === FLOOR_ARGUMENT) serveFloor();
else process.exit(await main());
