import { processClock } from '../lib/accelerated-clock.ts';
import { AppError, asError } from '../lib/errors.ts';
import { createLogger } from '../lib/log.ts';
import { FlagError, helpText, parseFlags, type Settings } from './flags.ts';
import { runOperator } from './run.ts';
import type { Stop } from './process/stop.ts';
import { version } from './version.ts';

/** Runs the operator by its command line. Resolves with the exit code: 0 stopped by a signal, 1 failed at run time, 2 invalid flags. */
export async function main(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  stop: Stop,
): Promise<number> {
  let settings: Settings | 'help' | 'version';
  try {
    settings = parseFlags(args, env);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (typeof settings === 'string') {
    process.stdout.write(settings === 'help' ? helpText() : `${version}\n`);
    return 0;
  }
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat });
  try {
    await runOperator(settings, processClock(), log, stop);
    return 0;
  } catch (thrown) {
    const error = asError(thrown);
    log.error({ error }, error instanceof AppError ? error.message : 'The operator failed');
    return 1;
  }
}
