import { HELP, OptionError, type Options, parseOptions } from './options.ts';
import { jsonOf, tableOf } from './report.ts';
import { runChaos } from './run.ts';

async function main(): Promise<number> {
  let options: Options | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    console.error(`${error.message} Try --help.`);
    return 2;
  }
  if (options === 'help') {
    console.log(HELP);
    return 0;
  }
  // Everything that runs ends with this process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const result = await runChaos(options, (line) => console.error(line));
  for (const finding of result.findings) console.error(finding);
  console.log(options.json ? jsonOf(result) : tableOf(result));
  return result.findings.length > 0 ? 1 : 0;
}

process.exitCode = await main();
